import Documents
import Experiments
import Foundation
import Synchronization
import XCTest

@testable import Activities

final class ProgramTests: XCTestCase {
    private let environment: [String: String] = ["PATH": "/usr/bin:/bin"]

    private func call(_ module: String, _ function: String, _ arguments: Value.Object, isBackground: Bool = false)
        -> PythonCall
    {
        var call = PythonCall(
            module: module, function: function, arguments: arguments, secrets: nil, configuration: [:])
        call.isBackground = isBackground
        return call
    }

    /// A folder that Python finds modules in, with one module.
    private func folder(_ source: String) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(source.utf8).write(to: folder.appending(path: "own.py"))
        addTeardownBlock { try FileManager.default.removeItem(at: folder) }
        return folder
    }

    private func provider(
        _ source: String, log: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) throws -> PythonActivityProvider {
        PythonActivityProvider(
            environment: environment.merging(["PYTHONPATH": try folder(source).path]) { $1 }, log: log)
    }

    private func isAlive(_ pid: Int) -> Bool { kill(pid_t(pid), 0) == 0 }

    func testAProgramIsKilledWhenItsActivityIsInterrupted() async throws {
        let file = try folder("").appending(path: "pid")
        let child = ChildProcess(
            path: "/bin/sh", arguments: ["sh", "-c", "echo $$ > \(file.path); exec sleep 600"],
            environment: environment)
        let task = Task { await child.run() }
        var pid: Int?
        while pid == nil {
            try await Task.sleep(for: .milliseconds(5))
            pid = (try? String(contentsOf: file, encoding: .utf8)).flatMap {
                Int($0.trimmingCharacters(in: .newlines))
            }
        }
        task.cancel()
        guard case .cancelled = await task.value else { return XCTFail("it was not cancelled") }
        XCTAssertFalse(isAlive(try XCTUnwrap(pid)))
    }

    func testANegativeTimeoutIsOverAtOnce() async {
        let child = ChildProcess(
            path: "/bin/sleep", arguments: ["sleep", "600"], environment: environment, timeout: .seconds(-3_000_000))
        guard case .timedOut = await child.run() else { return XCTFail("it did not time out") }
    }

    func testAFunctionOfTheForegroundMayHandleSignals() async throws {
        let provider = try provider(
            """
            import signal
            def handle():
                signal.signal(signal.SIGALRM, lambda number, frame: None)
                return "handled"
            """)
        let value = try await provider.perform(call("own", "handle", [:]))
        XCTAssertEqual(value, "handled")
        do {
            _ = try await provider.perform(call("own", "handle", [:], isBackground: true))
            XCTFail("only the main thread may")
        } catch {
            XCTAssertTrue("\(error)".contains("main thread"), "\(error)")
        }
    }

    func testAnInterruptedFunctionEndsWhateverItWaitsFor() async throws {
        let folder = try folder(
            """
            import time
            def wait(path):
                try:
                    open(path + "/began", "w").close()
                    time.sleep(600)
                finally:
                    open(path + "/ended", "w").close()
            def spin(path):
                try:
                    open(path + "/began", "w").close()
                    while True:
                        time.sleep(0.01)
                finally:
                    open(path + "/ended", "w").close()
            """)
        let provider = PythonActivityProvider(
            environment: environment.merging(["PYTHONPATH": folder.path]) { $1 }, log: { _, _ in })
        for (function, isBackground) in [("wait", false), ("spin", true)] {
            let began = folder.appending(path: "began")
            let ended = folder.appending(path: "ended")
            let call = call("own", function, ["path": .string(folder.path)], isBackground: isBackground)
            let task = Task { () -> String in
                do {
                    return "\(try await provider.perform(call))"
                } catch {
                    return "\(error)"
                }
            }
            while !FileManager.default.fileExists(atPath: began.path) { try await Task.sleep(for: .milliseconds(5)) }
            task.cancel()
            let result = await task.value
            XCTAssertEqual(result, "\(ActivityError.interrupted)")
            XCTAssertTrue(FileManager.default.fileExists(atPath: ended.path), function)
            try FileManager.default.removeItem(at: began)
            try FileManager.default.removeItem(at: ended)
        }
    }

    func testAnAnswerThatIsTooDeepFailsItsActivityAlone() async throws {
        let provider = try provider(
            """
            def deep(depth):
                value = []
                for _ in range(depth):
                    value = [value]
                return value
            """)
        do {
            _ = try await provider.perform(call("own", "deep", ["depth": 600]))
            XCTFail("it cannot be read")
        } catch {
            XCTAssertTrue("\(error)".contains("cannot be read"), "\(error)")
        }
        let value = try await provider.perform(call("own", "deep", ["depth": 1]))
        XCTAssertEqual(value, [[]])
    }

    func testPythonThatEndsFailsItsActivityAndIsStartedAgain() async throws {
        let provider = try provider(
            """
            import os
            def end():
                os._exit(3)
            def go_on():
                return 1
            """)
        do {
            _ = try await provider.perform(call("own", "end", [:]))
            XCTFail("it has ended")
        } catch {
            XCTAssertTrue("\(error)".contains("ended without an answer"), "\(error)")
        }
        let value = try await provider.perform(call("own", "go_on", [:]))
        XCTAssertEqual(value, 1)
    }

    func testWhatIsNoJSONIsShownAsItsText() async throws {
        let provider = try provider("def give():\n    return {1, 1}\n")
        let value = try await provider.perform(call("own", "give", [:]))
        XCTAssertEqual(value, "{1}")
    }

    func testAFunctionMayInterruptTheRun() async throws {
        let told = Told()
        let provider = try provider(
            """
            class InterruptExecution(Exception):
                pass
            InterruptExecution.__module__ = "chaoslib.exceptions"
            def stop():
                raise InterruptExecution("it was enough")
            """, log: { told.add($0, $1) })
        do {
            _ = try await provider.perform(call("own", "stop", [:]))
            XCTFail("it ends the run")
        } catch {
            XCTAssertEqual(error, .interrupted)
        }
        XCTAssertEqual(told.all, ["CRITICAL it was enough"])
    }

    // What drivers tell with the reference's logger is shown as its own; what they keep for themselves is not.
    func testWhatDriversTellIsHeardBeforeTheirAnswer() async throws {
        let told = Told()
        let provider = try provider(
            """
            import logging
            import logzero
            logger = logging.getLogger("chaostoolkit")
            def speak():
                logger.debug("looking")
                logger.info("the gate is %s", "open")
                logzero.logger.warning("it is loud")
                logging.getLogger("other").info("nobody hears")
                try:
                    1 / 0
                except ZeroDivisionError:
                    logger.exception("it broke")
                return True
            """, log: { told.add($0, $1) })
        let value = try await provider.perform(call("own", "speak", [:]))
        XCTAssertEqual(value, true)
        XCTAssertEqual(told.all.prefix(2), ["INFO the gate is open", "WARNING it is loud"])
        XCTAssertEqual(told.all.count, 3)
        XCTAssertTrue(told.all[2].hasPrefix("ERROR it broke\nTraceback"), told.all[2])
    }

    func testWhichPythonWasAskedIsToldWithWhatToDo() async throws {
        func problem(_ provider: PythonActivityProvider, _ module: String) async -> ActivityProblem? {
            let function = PythonFunction(
                activityType: "action", activity: "a", module: module, name: "f", arguments: [:])
            return await provider.problems(of: [function])[0]
        }
        let missing = await problem(try provider(""), "nowhere.pods")
        XCTAssertEqual(missing?.message, "could not find Python module 'nowhere.pods' in activity 'a'")
        XCTAssertTrue(missing?.remedy?.hasPrefix("Python 3.") ?? false, "\(missing.debugDescription)")
        XCTAssertTrue(missing?.remedy?.contains("WINDKANAL_PYTHON") ?? false, "\(missing.debugDescription)")
        // The module is there, and what it needs is not.
        let inner = await problem(try provider("import nowhere_else"), "own")
        XCTAssertEqual(
            inner?.message, "could not find Python module 'own' in activity 'a': it needs 'nowhere_else'")
        let none = PythonActivityProvider(environment: ["PATH": "/bin", "WINDKANAL_PYTHON": "/nope"], log: { _, _ in })
        let nobody = await problem(none, "own")
        XCTAssertTrue(nobody?.message.contains("WINDKANAL_PYTHON names '/nope'") ?? false, "\(nobody.debugDescription)")
    }

    // A child that has closed its outputs long before it ends is waited for, and not looked at again and again.
    func testAProgramThatClosesItsOutputIsWaitedForAndCanBeInterrupted() async throws {
        let quiet = ChildProcess(
            path: "/bin/sh", arguments: ["sh", "-c", "exec >&- 2>&-; sleep 0.05; exit 7"], environment: environment)
        guard case .ended(status: 7, _, _) = await quiet.run() else { return XCTFail("it ends with 7") }
        let endless = ChildProcess(
            path: "/bin/sh", arguments: ["sh", "-c", "exec >&- 2>&-; exec sleep 600"], environment: environment)
        let task = Task { await endless.run() }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        guard case .cancelled = await task.value else { return XCTFail("it was not cancelled") }
        let late = ChildProcess(
            path: "/bin/sh", arguments: ["sh", "-c", "exec >&- 2>&-; exec sleep 600"], environment: environment,
            timeout: .milliseconds(100))
        guard case .timedOut = await late.run() else { return XCTFail("it did not time out") }
    }

    func testAFolderIsNoFile() {
        XCTAssertThrowsError(try Files.read("/tmp")) { XCTAssertTrue("\($0)".contains("directory"), "\($0)") }
    }
}

/// What was told, from any thread.
private final class Told: Sendable {
    private let lines: Mutex<[String]> = Mutex([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ level: LogLevel, _ text: String) { lines.withLock { $0.append("\(level.rawValue) \(text)") } }
}
