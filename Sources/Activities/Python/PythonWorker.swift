import Dispatch
import Documents
import Experiments
import Glibc
import Synchronization

/// The user's Python, running beside us as long as we live: it answers requests, and keeps what modules remember.
///
/// It is started with the first request. Functions that send a signal to their own process reach this one: the worker passes it on.
final class PythonWorker: Sendable {
    /// What became of a request.
    private enum Reply {
        case answer(Value)
        case unreadable(String)
        /// Python ended before it answered.
        case ended
    }

    private struct State {
        var input: Int32 = -1
        var pid: pid_t = 0
        var lastID: Int = 0
        var waiting: [Int: CheckedContinuation<Reply, Never>] = [:]
    }

    /// The longest answer that is taken.
    static let answerBytesMax: Int = 256 << 20
    /// How long a function may go on that was interrupted.
    private static let grace: DispatchTimeInterval = .seconds(2)

    private let interpreter: String
    private let environment: [String: String]
    private let log: @Sendable (LogLevel, String) -> Void
    private let state: Mutex<State> = Mutex(State())

    /// Prepares a worker; `log` takes what functions log.
    init(
        interpreter: String, environment: [String: String], log: @escaping @Sendable (LogLevel, String) -> Void
    ) {
        self.interpreter = interpreter
        self.environment = environment
        self.log = log
    }

    deinit {
        // The end of its input ends it.
        state.withLock { if $0.input >= 0 { close($0.input) } }
    }

    /// Sends a request and waits for the answer.
    ///
    /// When the caller is cancelled, the function is interrupted as Ctrl-C interrupts Python; if it
    /// goes on nevertheless, Python is ended.
    ///
    /// - Throws: ``ActivityError/failed(_:)`` when Python cannot be started or ends; ``ActivityError/interrupted`` when the caller is cancelled.
    func ask(_ request: Value) async throws(ActivityError) -> Value {
        let id = try start()
        let reply = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                var request = request
                request.set(Pointer(tokens: ["id"]), to: .integer(id))
                state.withLock { $0.waiting[id] = continuation }
                if !send(request) { take(id)?.resume(returning: .ended) }
            }
        } onCancel: {
            interrupt(id)
        }
        if Task.isCancelled { throw .interrupted }
        switch reply {
        case .answer(let value): return value
        case .unreadable(let why): throw .failed("what Python answered cannot be read: \(why)")
        case .ended: throw .failed("\(interpreter) ended without an answer")
        }
    }

    private func interrupt(_ id: Int) {
        _ = send(["cancel": .integer(id)])
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.grace) { [self] in
            state.withLock { state in
                if state.waiting[id] != nil, state.pid > 0 { kill(state.pid, SIGKILL) }
            }
        }
    }

    private func take(_ id: Int) -> CheckedContinuation<Reply, Never>? {
        state.withLock { $0.waiting.removeValue(forKey: id) }
    }

    /// Starts Python, if it does not run, and gives the request's number.
    private func start() throws(ActivityError) -> Int {
        do {
            return try state.withLock { state throws(FileError) in
                state.lastID += 1
                guard state.input < 0 else { return state.lastID }
                let program = try StartedProgram.start(
                    interpreter, [interpreter, "-c", PythonHelper.source], environment: environment, hasInput: true,
                    hasErrors: false)
                state.input = program.input
                state.pid = program.pid
                listen(program.output, program.pid)
                return state.lastID
            }
        } catch {
            throw .failed("Python cannot be started: \(error)")
        }
    }

    /// Sends a line; false when nobody reads any more.
    private func send(_ request: Value) -> Bool {
        let line = Array(JSONWriter.write(request).utf8) + [UInt8(ascii: "\n")]
        return state.withLock { $0.input >= 0 && Files.writeAll(line, to: $0.input) }
    }

    // MARK: Answers

    /// Hands out answers on a thread of its own, until there are no more.
    private func listen(_ output: Int32, _ pid: pid_t) {
        DispatchQueue(label: "python").async { [weak self] in
            var line: [UInt8] = []
            reading: while let piece = Files.readPiece(output), !piece.isEmpty {
                for part in piece.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
                    if part.offset > 0 {
                        self?.answer(line)
                        line = []
                    }
                    line += part.element
                    if line.count > Self.answerBytesMax { break reading }
                }
            }
            kill(pid, SIGKILL)
            close(output)
            var status: Int32 = 0
            _ = unsafe waitpid(pid, &status, 0)
            self?.end()
        }
    }

    /// An answer is the request's number, a blank and JSON: what cannot be read still belongs to somebody.
    private func answer(_ line: [UInt8]) {
        let digits = line.prefix { $0 != UInt8(ascii: " ") }
        guard let id = Int(String(decoding: digits, as: UTF8.self)) else { return }
        let reply: Reply
        do {
            reply = .answer(try JSONReader.read(line.dropFirst(digits.count + 1)))
        } catch {
            reply = .unreadable(error.description)
        }
        if id == 0 { return logMessage(reply) }
        take(id)?.resume(returning: reply)
    }

    /// Passes on what a function logs: not an answer, so it has no request.
    private func logMessage(_ message: Reply) {
        guard case .answer(let value) = message, let text = value["text"]?.string else { return }
        let level: LogLevel =
            switch value["level"]?.integer ?? 0 {
            case ..<30: .info
            case ..<40: .warning
            case ..<50: .error
            default: .critical
            }
        log(level, text)
    }

    /// Python has ended; the next request starts it anew.
    private func end() {
        let waiting = state.withLock { state in
            if state.input >= 0 { close(state.input) }
            let waiting = state.waiting
            state.input = -1
            state.pid = 0
            state.waiting = [:]
            return waiting
        }
        for id in waiting.keys.sorted() { waiting[id]?.resume(returning: .ended) }
    }
}
