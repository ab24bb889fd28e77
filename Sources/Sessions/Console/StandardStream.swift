import Activities
import Glibc
import Synchronization

/// Where the command writes for others: its output and its errors.
public struct StandardStream: Sendable {
    /// What programs read.
    public static let output: StandardStream = StandardStream(descriptor: 1)
    /// What people read.
    public static let errors: StandardStream = StandardStream(descriptor: 2)

    private let descriptor: Int32

    /// Why the output could not be written, the first time that it could not.
    private static let outputFailure: Mutex<Int32> = Mutex(0)

    /// Keeps the places of channels that the process was started without: what is opened later must not take them.
    public static func occupy() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free one; what is written to it is refused.
            _ = unsafe open("/dev/null", O_RDONLY)
        }
    }

    /// Writes a text.
    ///
    /// Who reads it may have gone: what is going on goes on all the same.
    public func write(_ text: String) {
        guard !Files.writeAll(Array(text.utf8), to: descriptor), descriptor == 1 else { return }
        let code = errno
        Self.outputFailure.withLock { if $0 == 0 { $0 = code } }
    }

    /// Writes a line.
    public func writeLine(_ text: String) { write(text + "\n") }

    /// Why the output is not whole; nil if it is, and if its reader did not want more.
    public static var outputProblem: String? {
        let code = outputFailure.withLock { $0 }
        guard code != 0, code != EPIPE else { return nil }
        return unsafe "the output cannot be written: \(String(cString: strerror(code)))"
    }
}
