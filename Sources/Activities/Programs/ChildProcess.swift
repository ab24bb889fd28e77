import CProcess
import Dispatch
import Glibc

/// A program that runs beside this one, with its output gathered.
///
/// Our own, because what the reference does at a timeout is to kill the program and to go on at once, whatever its own children still hold open; swift-subprocess
/// returns when the output has ended.
package struct ChildProcess {
    /// How a program ended.
    package enum Outcome {
        /// The program ended by itself: with a status, or by a signal, which is a negative number.
        case ended(status: Int, output: [UInt8], errors: [UInt8])
        /// The program's time was up, and it was killed; with what it had written.
        case timedOut(output: [UInt8])
        /// The caller was cancelled, and the program killed, as by Python's `subprocess.run`; with what it had written.
        case cancelled(output: [UInt8])
        /// The program could not be started.
        case notStarted(reason: String)
        /// The program wrote more than is gathered, and was killed.
        case tooMuchOutput(limit: Int)
    }

    /// The most that is gathered of each output.
    package static let outputBytesMax: Int = 256 << 20

    /// The program's file.
    package let path: String
    /// The program's arguments, its name first.
    package let arguments: [String]
    /// The program's environment.
    package let environment: [String: String]
    /// How long the program may take; nil is without limit.
    package var timeout: Duration?

    /// Describes a program.
    package init(path: String, arguments: [String], environment: [String: String], timeout: Duration? = nil) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.timeout = timeout
    }

    /// Starts the program and waits for its end.
    package func run() async -> Outcome {
        let cancellation = EventDescriptor()
        defer { cancellation.close() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread of its own: it spends its life waiting.
                DispatchQueue(label: "child process").async {
                    continuation.resume(returning: supervise(cancellation))
                }
            }
        } onCancel: {
            cancellation.signal()
        }
    }

    // MARK: Supervising

    private func supervise(_ cancellation: EventDescriptor) -> Outcome {
        if cancellation.isSignaled { return .cancelled(output: []) }
        let started: StartedProgram
        do {
            started = try StartedProgram.start(
                path, arguments, environment: environment, hasInput: false, hasErrors: true)
        } catch {
            return .notStarted(reason: error.description)
        }
        defer {
            Glibc.close(started.output)
            Glibc.close(started.errors)
        }
        let pid = started.pid
        let process = process_descriptor(pid)
        guard process >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            end(pid)
            return .notStarted(reason: "its end could not be waited for: \(reason)")
        }
        defer { Glibc.close(process) }
        var gathering = Gathering(output: started.output, errors: started.errors, process: process)
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            let left = deadline.map { milliseconds(ContinuousClock.now.duration(to: $0)) } ?? -1
            switch gathering.step(pid, cancellation.descriptor, left) {
            case .goOn: continue
            case .ended(let status): return .ended(status: status, output: gathering.output, errors: gathering.errors)
            case .timedOut:
                end(pid)
                return .timedOut(output: gathering.output)
            case .tooMuch:
                end(pid)
                return .tooMuchOutput(limit: Self.outputBytesMax)
            case .cancelled:
                end(pid)
                return .cancelled(output: gathering.output)
            }
        }
    }

    private func end(_ pid: pid_t) {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
    }

    private func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        guard seconds >= 0 else { return 0 }
        return max(0, Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}

/// What was read of a program so far.
private struct Gathering {
    enum Step {
        case goOn
        case ended(Int)
        case timedOut
        case cancelled
        case tooMuch
    }

    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    private var outputDescriptor: Int32
    private var errorsDescriptor: Int32
    private let process: Int32

    init(output: Int32, errors: Int32, process: Int32) {
        outputDescriptor = output
        errorsDescriptor = errors
        self.process = process
    }

    /// Waits for something to happen and deals with it.
    mutating func step(_ pid: pid_t, _ cancellation: Int32, _ milliseconds: Int32) -> Step {
        let hasClosed = outputDescriptor < 0 && errorsDescriptor < 0
        var polls = [
            pollfd(fd: outputDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errorsDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
            // It has ended when its output has, whoever else may hold that open.
            pollfd(fd: hasClosed ? process : -1, events: Int16(POLLIN), revents: 0),
        ]
        let ready = unsafe poll(&polls, nfds_t(polls.count), milliseconds)
        if ready == 0 { return .timedOut }
        guard ready > 0 else { return .goOn }
        if polls[2].revents != 0 { return .cancelled }
        if polls[3].revents != 0 {
            var status: Int32 = 0
            guard unsafe waitpid(pid, &status, 0) == pid else { return .goOn }
            let signal = status & 0x7f
            return .ended(signal == 0 ? Int(status >> 8 & 0xff) : -Int(signal))
        }
        if polls[0].revents != 0, !Self.read(outputDescriptor, &output) { outputDescriptor = -1 }
        if polls[1].revents != 0, !Self.read(errorsDescriptor, &errors) { errorsDescriptor = -1 }
        return max(output.count, errors.count) > ChildProcess.outputBytesMax ? .tooMuch : .goOn
    }

    /// Reads what is there; false at the end.
    private static func read(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
        guard let piece = Files.readPiece(descriptor), !piece.isEmpty else { return false }
        bytes += piece
        return true
    }
}

/// Wakes a thread that waits for descriptors.
private final class EventDescriptor: Sendable {
    private let pipe: Pipe? = Pipe()

    /// What becomes readable with the signal; -1, which never does, where no pipe could be made.
    var descriptor: Int32 { pipe?.reading ?? -1 }

    /// Whether the signal was given.
    var isSignaled: Bool {
        var polls = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        return unsafe poll(&polls, 1, 0) > 0
    }

    func signal() {
        guard let pipe else { return }
        var byte: UInt8 = 1
        _ = unsafe write(pipe.writing, &byte, 1)
    }

    func close() {
        guard let pipe else { return }
        Glibc.close(pipe.reading)
        Glibc.close(pipe.writing)
    }
}
