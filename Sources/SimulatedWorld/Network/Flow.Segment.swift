import NIOCore

extension Flow {
    /// What travels in one piece.
    enum Segment {
        case data(ByteBuffer)
        /// The sender will send no more.
        case end
        /// The sender knows of no such connection (any more).
        case reset

        var bytes: Int {
            if case .data(let buffer) = self { return buffer.readableBytes }
            return 0
        }
    }
}
