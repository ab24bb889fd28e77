import Glibc
import XCTest

/// A blocking socket on loopback, for tests that look at what bytes and ends arrive, and when.
final class TestSocket: @unchecked Sendable {
    /// What came.
    enum Received: Equatable {
        case data(String)
        case end
        case reset
        case nothing
    }

    /// The descriptor; -1 when it is closed.
    private(set) var descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Connects; where `from` is given, from that address.
    convenience init(connectingTo port: Int, from source: String? = nil, timeout: Duration = .seconds(5)) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.init(descriptor: descriptor)
        if let source {
            var own = Self.address(source, 0)
            try Self.check(Self.withAddress(&own) { bind(descriptor, $0, $1) }, "bind")
        }
        let milliseconds = Int(timeout / .milliseconds(1))
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = Self.address("127.0.0.1", port)
        try Self.check(Self.withAddress(&address) { connect(descriptor, $0, $1) }, "connect")
    }

    deinit { close() }

    struct Failure: Error {
        let call: String
        let code: Int32
    }

    static func check(_ result: Int32, _ call: String) throws {
        if result < 0 { throw Failure(call: call, code: errno) }
    }

    static func address(_ host: String, _ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return address
    }

    static func withAddress<Result>(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    // MARK: Sending

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends all bytes; false when the other side has gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    // MARK: Receiving

    /// What comes next within a time, at most so many bytes.
    func receive(max: Int = 65_536, within time: Duration = .seconds(5)) -> Received {
        switch receiveBytes(max: max, within: time) {
        case .success(let bytes)?: bytes.isEmpty ? .end : .data(String(decoding: bytes, as: UTF8.self))
        case .failure?: .reset
        case nil: .nothing
        }
    }

    /// Everything until the end, a reset or a time without anything.
    func receiveAll(within time: Duration = .seconds(5)) -> (bytes: [UInt8], end: Received) {
        var all: [UInt8] = []
        while true {
            switch receiveBytes(max: 1 << 20, within: time) {
            case .success(let bytes)?:
                if bytes.isEmpty { return (all, .end) }
                all += bytes
            case .failure?: return (all, .reset)
            case nil: return (all, .nothing)
            }
        }
    }

    /// Exactly so many bytes, or what there was before the end.
    func receive(count: Int, within time: Duration = .seconds(5)) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            guard case .success(let bytes)? = receiveBytes(max: count - all.count, within: time), !bytes.isEmpty else {
                return all
            }
            all += bytes
        }
        return all
    }

    private func receiveBytes(max: Int, within time: Duration) -> Result<[UInt8], Failure>? {
        guard Self.wait(descriptor, within: time) else { return nil }
        var buffer = [UInt8](repeating: 0, count: max)
        let count = recv(descriptor, &buffer, max, 0)
        if count < 0 { return .failure(Failure(call: "recv", code: errno)) }
        return .success(Array(buffer[..<count]))
    }

    static func wait(_ descriptor: Int32, within time: Duration) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, Int32(time / .milliseconds(1))) > 0
    }
}

/// A listening socket on loopback.
final class TestListener: @unchecked Sendable {
    private let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = TestSocket.address("127.0.0.1", 0)
        let descriptor = descriptor
        try TestSocket.check(TestSocket.withAddress(&address) { bind(descriptor, $0, $1) }, "bind")
        try TestSocket.check(listen(descriptor, 512), "listen")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try TestSocket.check(
            TestSocket.withAddress(&address) { pointer, _ in getsockname(descriptor, pointer, &length) }, "name")
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    /// The next connection.
    func accept(within time: Duration = .seconds(5)) throws -> TestSocket {
        guard TestSocket.wait(descriptor, within: time) else {
            throw TestSocket.Failure(call: "accept", code: ETIMEDOUT)
        }
        return TestSocket(descriptor: Glibc.accept(descriptor, nil, nil))
    }

    /// Whether nobody connects within a time.
    func isLeftAlone(for time: Duration) -> Bool { !TestSocket.wait(descriptor, within: time) }
}
