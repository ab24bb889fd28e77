import NIOCore

/// The buffers that all connections of an event loop read into: an idle connection has none, and those in use stay warm.
///
/// Touched on its event loop only.
final class ReadBuffers: @unchecked Sendable {
    /// Bytes that are read at once.
    static let size: Int = 128 * 1024
    private static let keptMax: Int = 8

    private var free: [ByteBuffer] = []

    /// An empty buffer.
    func take(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        free.popLast() ?? allocator.buffer(capacity: Self.size)
    }

    /// Takes a buffer back whose contents were sent.
    func give(_ buffer: inout ByteBuffer) {
        guard free.count < Self.keptMax, buffer.capacity >= Self.size else { return }
        buffer.clear()
        free.append(buffer)
    }
}

/// Lets NIO read into the loop's buffers.
///
/// A channel keeps the first buffer that it gets: that one is small, and ``Relay`` puts together what it cuts. Those that follow
/// would use the first again, unless a larger one is announced each time.
struct SharedReadAllocator: RecvByteBufferAllocator {
    /// Bytes of a channel's first buffer.
    static let firstSize: Int = 256

    let buffers: ReadBuffers
    private var hasRead: Bool = false

    init(_ buffers: ReadBuffers) {
        self.buffers = buffers
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        hasRead ? buffers.take(allocator) : allocator.buffer(capacity: Self.firstSize)
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        hasRead = true
        return true
    }

    func nextBufferSize() -> Int? { nil }
}
