/// The network was used in a way that cannot work.
public enum NetworkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no host of that name in the network.
    case unknownHost(String)
    /// A link cannot behave so; the text says why and what to do.
    case invalidLink(String)
    /// A toxic cannot behave so; the text says why.
    case invalidToxic(String)
    /// Nobody listens there.
    case notListening(host: String, port: Int)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .unknownHost(let name): "no host is called '\(name)'; add it with network.host(_:boot:) first"
        case .invalidLink(let problem): "an impossible link: \(problem)"
        case .invalidToxic(let problem): "an impossible toxic: \(problem)"
        case .notListening(let host, let port): "nobody listens on \(host):\(port)"
        }
    }
}
