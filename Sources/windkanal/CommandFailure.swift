import ArgumentParser
import Glibc

/// Prints an error as the command does and gives the exit code to end with.
func failure(_ error: some CustomStringConvertible, status: Int32) -> ExitCode {
    standardError("windkanal: \(error)")
    return ExitCode(status)
}

/// Writes a line to the errors' channel.
func standardError(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
}
