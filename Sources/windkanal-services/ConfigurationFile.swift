import Documents
import Sessions
import Synchronization

/// The file in which the proxies outlive the process: it is replaced whole, so that it is never half a one.
final class ConfigurationFile: Sendable {
    /// One writes at a time.
    private let file: Mutex<OutputFile>

    init(_ file: OutputFile) {
        self.file = Mutex(file)
    }

    /// Replaces the file; where that fails, the proxy goes on and says so.
    func write(_ configuration: Value) {
        let text = JSONWriter.write(configuration, .indented(2)) + "\n"
        file.withLock { file in
            do {
                try file.write(text)
            } catch {
                StandardStream.errors.writeLine("windkanal-services proxy: \(error)")
            }
        }
    }
}
