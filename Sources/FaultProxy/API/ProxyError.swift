/// Why the proxy does not do what it was asked: Toxiproxy's text, and its status.
public struct ProxyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The HTTP status.
    public let status: Int
    /// What is wrong, as it stands in the answer.
    public let description: String

    init(_ status: Int, _ description: String) {
        self.status = status
        self.description = description
    }

    static let proxyNotFound = ProxyError(404, "proxy not found")
    static let proxyExists = ProxyError(409, "proxy already exists")
    static let toxicNotFound = ProxyError(404, "toxic not found")
    static let toxicExists = ProxyError(409, "toxic already exists")
    static let invalidStream = ProxyError(400, "stream was invalid, can be either upstream or downstream")
    static let invalidType = ProxyError(400, "invalid toxic type")

    static func badBody(_ error: GoJSONError) -> ProxyError { ProxyError(400, "bad request body: \(error)") }
    static func missing(_ field: String, of entry: Int? = nil) -> ProxyError {
        ProxyError(400, "missing required field: \(field)" + (entry.map { " at proxy \($0)" } ?? ""))
    }
}
