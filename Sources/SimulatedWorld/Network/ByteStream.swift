package import NIOCore
import SimulationKernel

/// An end of a connection for synchronous parts of the world: closures instead of a channel.
@safe
package final class ByteStream: StreamDelegate {
    private let end: StreamEnd
    /// Called with each piece of data, as it comes.
    package var onData: ((ByteBuffer) -> Void)?
    /// Called once, when no more will come.
    package var onEnd: () -> Void = {}
    /// A task that waits for data.
    private var reader: UnsafeContinuation<ByteBuffer?, Never>?

    init(_ end: StreamEnd) {
        self.end = end
        end.delegate = self
    }

    /// Sends bytes; what exceeds the window is sent all the same, for the caller paces itself.
    package func send(_ buffer: ByteBuffer) {
        end.send(buffer)
    }

    /// Closes the connection.
    package func close() {
        end.close()
    }

    /// The next piece of data of a stream without `onData`; nil when no more will come.
    package func read() async -> ByteBuffer? {
        if let buffer = end.read() { return buffer }
        if end.receivedEnd || end.failure != nil { return nil }
        return unsafe await withUnsafeContinuation { unsafe reader = $0 }
    }

    func streamIsReadable() {
        if let reader = unsafe reader {
            guard end.hasData || end.receivedEnd else { return }
            unsafe self.reader = nil
            unsafe reader.resume(returning: end.read())
            return
        }
        guard let onData else { return }
        while let buffer = end.read() { onData(buffer) }
        if end.receivedEnd { onEnd() }
    }

    func streamIsWritable() {}

    func streamFailed(_ failure: StreamFailure) {
        unsafe reader?.resume(returning: end.read())
        unsafe reader = nil
        onEnd()
    }
}

extension Network {
    /// Lets a host accept byte streams; false when its port is taken or there is no such host.
    package func acceptStreams(host: String, port: Int, _ accept: @escaping (ByteStream) -> Void) -> Bool {
        resolve(host)?.listen(port: port, backlog: 4096) { accept(ByteStream($0)) } != nil
    }

    /// Connects two hosts by a byte stream; nil when the connection is refused or times out.
    package func connectStream(
        from client: String, to server: String, port: Int, _ completion: @escaping (ByteStream?) -> Void
    ) {
        guard let source = resolve(client), let target = resolve(server) else { return completion(nil) }
        let connection = connect(from: source, to: target, port: port) { result in
            completion((try? result.get()).map(ByteStream.init))
        }
        if connection == nil { completion(nil) }
    }
}
