import Foundation
import Testing

/// What cannot work says so: by a violation's name, or, where a library traps, with the place and what to do instead.
@Suite struct RefusalTests {
    private func refused(_ way: String) throws -> (status: Int32, output: String) {
        let process = Process()
        // Beside the tests in the folder of what was built.
        let folder = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .deletingLastPathComponent()
        process.executableURL = folder.appending(path: "refused")
        process.arguments = [way]
        process.environment = ["SWIFT_BACKTRACE": "enable=no", "PATH": "/usr/bin:/bin"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test(arguments: ["hummingbird-application", "async-http-client", "event-loop-group"])
    func aThreadIsRefusedByName(_ way: String) throws {
        let (status, output) = try refused(way)
        #expect(status == 3, "\(output)")
        #expect(output.contains("a thread was created"), "\(output)")
    }

    @Test(arguments: [
        ("client-bootstrap", "ports.dial"), ("hummingbird-application-on-loop", "ports.listen"),
        ("async-http-client-on-loop", "ports"),
    ])
    func aTrapSaysWhereItWasAndWhatToDoInstead(_ way: String, _ remedy: String) throws {
        let (status, output) = try refused(way)
        #expect(status != 0, "\(output)")
        #expect(output.contains("windkanal: tested code trapped, seed 42, virtual time"), "\(output)")
        #expect(output.contains(remedy), "\(output)")
    }
}
