import NIOCore

/// The buffers into which all connections of an event loop read: an idle connection has none, and those in use stay warm.
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
struct SharedReadAllocator: RecvByteBufferAllocator {
    let buffers: ReadBuffers

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { buffers.take(allocator) }
    func record(actualReadBytes: Int) -> Bool { false }
    func nextBufferSize() -> Int? { nil }
}
