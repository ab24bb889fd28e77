import ArgumentParser
import Foundation
import Torture
import TraceFiles

/// Checks that runs repeat, and that planted mistakes are found and named.
struct DeterminismCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "determinism",
        abstract: "Runs the torture many times, in one process and in many, and demands one digest.",
        discussion: "Then plants each kind of mistake and demands that it is caught and named.")

    @Option(help: "Runs in one process.")
    var runs: Int = 100

    @Option(help: "Processes.")
    var processes: Int = 10

    @Flag(inversion: .prefixedNo, help: "Plant mistakes and demand that they are found.")
    var plant: Bool = true

    func run() throws {
        // The hash seed must differ between processes, as it does for users.
        unsetenv("SWIFT_DETERMINISTIC_HASHING")
        let busy = try Busy()
        defer { busy.end() }
        var failures = 0
        for policy in ["fifo", "random", "pct"] {
            let repeats = try Child.run(["torture", "--policy", policy, "--runs", String(runs)])
            let others = try (0..<processes).map { number in
                // The last one with a fixed hash seed, which changes nothing.
                let environment = number == processes - 1 ? ["SWIFT_DETERMINISTIC_HASHING": "1"] : [:]
                return try Child.run(["torture", "--policy", policy], environment: environment)
            }
            let digests = Set(([repeats] + others).map(\.firstWord))
            let passed = repeats.status == 0 && others.allSatisfy { $0.status == 0 } && digests.count == 1
            print(
                "\(passed ? "ok  " : "FAIL") \(policy): \(runs) runs in one process, \(processes) processes: \(digests.sorted().joined(separator: " "))"
            )
            if !passed { failures += 1 }
        }
        let storms = try (0..<2).map { _ in try Child.run(["polling"]) }
        let agree = storms.allSatisfy { $0.status == 0 } && Set(storms.map(\.output)).count == 1
        print("\(agree ? "ok  " : "FAIL") polling, 2 processes: \(storms[0].output.trimmingCharacters(in: .newlines))")
        if !agree { failures += 1 }
        let clusters = try (0..<2).map { _ in try Child.run(["cluster", "--storms", "5"]) }
        let same = clusters.allSatisfy { $0.status == 0 } && Set(clusters.map(\.output)).count == 1
        print("\(same ? "ok  " : "FAIL") storms of a cluster, 2 processes: \(clusters[0].firstWord)")
        if !same { failures += 1 }
        for leak in plant ? Leak.allCases : [] {
            let (found, text) = try Diagnosis.find(leak)
            print("\(found ? "ok  " : "FAIL") planted \(leak.rawValue): \(text)")
            if !found { failures += 1 }
        }
        guard failures == 0 else { throw ExitCode(1) }
    }
}

/// A child of this program, run to its end.
struct Child {
    let status: Int32
    let output: String

    var firstWord: String { output.split(separator: " ").first.map(String.init) ?? "" }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], fixedAddresses: Bool = false
    ) throws -> Child {
        let process = Process()
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.executableURL = URL(filePath: fixedAddresses ? "/usr/bin/setarch" : own)
        process.arguments = (fixedAddresses ? ["--addr-no-randomize", own] : []) + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // One arena: which thread is given which of several is a matter of who allocates first.
        if fixedAddresses { process.environment?["MALLOC_ARENA_MAX"] = "1" }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Child(status: process.terminationStatus, output: String(decoding: data, as: UTF8.self))
    }
}

/// Keeps another core busy, as other programs would.
private final class Busy {
    private let process = Process()

    init() throws {
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "while :; do :; done"]
        try process.run()
    }

    func end() {
        // Not `terminate()`: a child of the pool's threads inherits their mask, which holds that signal back.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// Finds what makes the runs of a program differ, by taking away one source of difference at a time.
private enum Diagnosis {
    static func find(_ leak: Leak) throws -> (found: Bool, text: String) {
        let arguments = ["torture", "--hosts", "3", "--seconds", "10", "--plant", leak.rawValue]
        let strict = try Child.run(arguments)
        if leak == .stuckThread {
            // Nothing can unwind it: the process must have ended itself, with the status that says so.
            return (strict.status == 70, "the process ended with status \(strict.status)")
        }
        if strict.output.hasPrefix("caught: ") {
            return (leak.cause != .hashOrder && leak != .address, strict.output.trimmingCharacters(in: .newlines))
        }
        guard strict.status == 0 else { return (false, "status \(strict.status): \(strict.output)") }
        guard try Child.run(["torture", "--hosts", "1", "--seconds", "1"], fixedAddresses: true).status == 0 else {
            return (false, "setarch --addr-no-randomize does not work here, so that addresses cannot be told")
        }
        guard let divergence = try divergence(arguments) else { return (false, "no two runs differ") }
        let named: Leak
        if try self.divergence(arguments, environment: ["SWIFT_DETERMINISTIC_HASHING": "1"]) == nil {
            named = .hashOrder
        } else if try (0..<fixedAttempts).contains(where: { _ in
            try self.divergence(arguments, processes: 2, fixedAddresses: true) == nil
        }) {
            named = .address
        } else {
            return (false, "neither hash seeds nor addresses make the difference\n\(divergence)")
        }
        return (named == leak.cause, "named \(named.rawValue): \(divergence)")
    }

    /// How often two runs at fixed addresses are compared.
    ///
    /// Threads that start side by side may still swap what they allocate, on a busy machine in every fourth run; without
    /// fixed addresses no two processes agree.
    private static let fixedAttempts = 10

    /// Where two of several runs in processes of their own part; nil when all are equal.
    private static func divergence(
        _ arguments: [String], processes: Int = 4, environment: [String: String] = [:], fixedAddresses: Bool = false
    ) throws -> TraceDivergence? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try (0..<processes).map { number in
            let path = folder.appending(path: "\(number).jsonl").path
            _ = try Child.run(arguments + ["--trace", path], environment: environment, fixedAddresses: fixedAddresses)
            return TraceFile(name: "process \(number + 1)", data: try Data(contentsOf: URL(filePath: path)))
        }
        for file in files.dropFirst() {
            if let divergence = try files[0].firstDivergence(from: file) { return divergence }
        }
        return nil
    }
}
