public import NIOCore

/// A piece of data that was put on a link, and when it arrives.
public struct PacketSighting: Sendable {
    /// The number of the connection that it belongs to.
    public let connection: UInt64
    /// The sending host's name.
    public let source: String
    /// The receiving host's name.
    public let target: String
    /// When it was sent, in ns since the run began.
    public let sent: UInt64
    /// When it arrives; nil when the link lost it, or keeps it.
    public let arrival: UInt64?
    /// The bytes.
    public let contents: ByteBuffer
}

/// Who is told of what is sent over links.
final class PacketWatcher {
    let see: (PacketSighting) -> Void

    init(_ see: @escaping (PacketSighting) -> Void) {
        self.see = see
    }
}
