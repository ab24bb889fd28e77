import ArgumentParser
import Foundation

/// Prints an error as the command does and gives the exit code to end with.
func failure(_ error: any Error, status: Int32) -> ExitCode {
    FileHandle.standardError.write(Data("windkanal: \(error)\n".utf8))
    return ExitCode(status)
}
