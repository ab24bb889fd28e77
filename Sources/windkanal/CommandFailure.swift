import ArgumentParser
import Sessions

/// Prints an error as the command does and gives the exit code to end with.
func failure(_ error: some CustomStringConvertible, status: Int32) -> ExitCode {
    standardError("windkanal: \(error)")
    return ExitCode(status)
}

/// Writes a line to the errors' channel.
func standardError(_ text: String) { StandardStream.errors.writeLine(text) }
