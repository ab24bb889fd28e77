import ArgumentParser
import Glibc

/// Starts the fault proxy, which is an executable of its own: the functions that simulations replace are in this one.
struct Proxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Breaks TCP connections on demand, with Toxiproxy's API (--help for its options).",
        discussion: """
            It is started as the program windkanal-services, which stands beside this one.

            Examples:
              # on 127.0.0.1:8474, as Toxiproxy
              windkanal proxy
              # its options: proxies from a file, draws from a seed
              windkanal proxy --help
            """)

    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() throws {
        let path = try Self.servicesPath()
        var words = unsafe (["windkanal-services", "proxy"] + arguments).map { unsafe strdup($0) }
        unsafe words.append(nil)
        unsafe execv(path, words)
        // Only a failure comes back.
        let reason = unsafe String(cString: strerror(errno))
        throw failure("\(path) cannot be started: \(reason); build the product windkanal-services", status: 1)
    }

    /// The executable beside this one.
    private static func servicesPath() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw failure("/proc/self/exe cannot be read", status: 1) }
        let own = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = own.lastIndex(of: "/").map { own[...$0] } ?? ""
        return "\(folder)windkanal-services"
    }
}
