import Glibc

/// A port on this machine, opened and reached once.
enum LoopbackPort {
    /// What kept it from being opened or reached; nil if nothing did.
    static func problem(on host: UInt32) -> String? {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard listener >= 0 else { return said("socket") }
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = host.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard unsafe withAddress(&address, { unsafe bind(listener, $0, length) }) == 0 else { return said("bind") }
        guard listen(listener, 1) == 0 else { return said("listen") }
        guard unsafe withAddress(&address, { unsafe getsockname(listener, $0, &length) }) == 0 else {
            return said("getsockname")
        }
        let caller = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard caller >= 0 else { return said("socket") }
        defer { close(caller) }
        // The kernel takes the connection in before anybody accepts it.
        guard unsafe withAddress(&address, { unsafe connect(caller, $0, length) }) == 0 else { return said("connect") }
        return nil
    }

    private static func withAddress(
        _ address: inout sockaddr_in, _ call: (UnsafeMutablePointer<sockaddr>) -> Int32
    ) -> Int32 {
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0) }
        }
    }

    private static func said(_ call: String) -> String {
        unsafe "\(call): \(String(cString: strerror(errno)))"
    }
}
