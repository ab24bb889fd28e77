import ArgumentParser
import Foundation

/// CPU time of the command and what it starts, from its start to its end.
enum WholeProcess {
    /// Milliseconds for one run, the mean of several; a run that does not succeed is an error.
    static func cpuMilliseconds(of arguments: [String], runs: Int) throws -> Double {
        let command = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "windkanal")
        guard FileManager.default.isExecutableFile(atPath: command.path) else {
            throw ValidationError("\(command.path) is missing: build the product windkanal first")
        }
        let before = childrenSeconds
        for _ in 0..<runs {
            let child = Process()
            child.executableURL = command
            child.arguments = arguments
            child.standardError = FileHandle.nullDevice
            child.standardOutput = FileHandle.nullDevice
            try child.run()
            child.waitUntilExit()
            guard child.terminationStatus == 0 else { throw ExitCode(child.terminationStatus) }
        }
        return (childrenSeconds - before) * 1000 / Double(runs)
    }

    /// Seconds of CPU of all children that have ended.
    private static var childrenSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
