public import Ports

/// Why there is no response, and how far the request got.
public enum HTTPFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// How far a request got.
    public enum Phase: String, Hashable, Sendable {
        /// The request waited for a connection of the pool.
        case pooling
        /// A connection was being made.
        case connecting
        /// The request was sent, and no response had begun.
        case waiting
        /// The response had begun.
        case receiving
    }

    /// No connection.
    case connect(DialError)
    /// A security handshake failed, or something else below HTTP, in its own words.
    case transport(Phase, reason: String)
    /// A timeout is over.
    case timedOut(Phase)
    /// The server closed the connection.
    case closed(Phase)
    /// The server reset the connection.
    case reset(Phase)
    /// What came is not an HTTP response.
    case malformed(reason: String)
    /// The response's body is longer than the caller takes.
    case bodyTooLarge(limit: Int)
    /// The queue for connections is full.
    case poolExhausted(limit: Int)
    /// The caller's task was cancelled.
    case cancelled(Phase)
    /// The client was shut down.
    case shutDown

    /// What happened and when.
    public var description: String {
        switch self {
        case .connect(let error): "\(error)"
        case .transport(let phase, let reason): "the connection failed while \(phase.rawValue): \(reason)"
        case .timedOut(let phase): "timed out while \(phase.rawValue)"
        case .closed(let phase): "the server closed the connection while the client was \(phase.rawValue)"
        case .reset(let phase): "the server reset the connection while the client was \(phase.rawValue)"
        case .malformed(let reason): "no HTTP response: \(reason)"
        case .bodyTooLarge(let limit): "the body is longer than \(limit) bytes"
        case .poolExhausted(let limit): "\(limit) requests wait for a connection already"
        case .cancelled(let phase): "cancelled while \(phase.rawValue)"
        case .shutDown: "the client was shut down"
        }
    }
}
