import Dispatch
import Documents
import Experiments
import Glibc
import Synchronization

/// The user's Python, running beside us as long as we live: it answers requests, each in a thread of its own, and keeps what modules remember.
///
/// It is started with the first request. Functions that send a signal to their own process reach this one: the worker passes it on.
final class PythonWorker: Sendable {
    private struct State {
        var input: Int32 = -1
        var pid: pid_t = 0
        var hasEnded: Bool = false
        var lastID: Int = 0
        var waiting: [Int: CheckedContinuation<Value?, Never>] = [:]
    }

    private let interpreter: String
    private let environment: [String: String]
    private let state: Mutex<State> = Mutex(State())

    init(interpreter: String, environment: [String: String]) {
        self.interpreter = interpreter
        self.environment = environment
    }

    deinit {
        // The end of its input ends it.
        state.withLock { if $0.input >= 0 { close($0.input) } }
    }

    /// Sends a request and waits for the answer.
    ///
    /// - Throws: ``ActivityError/failed(_:)`` when Python cannot be started or ends; ``ActivityError/interrupted`` when the caller is cancelled.
    func ask(_ request: Value) async throws(ActivityError) -> Value {
        let id = try start()
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                var request = request
                request.set(Pointer(tokens: ["id"]), to: .integer(id))
                send(JSONWriter.write(request) + "\n", id, continuation)
            }
        } onCancel: {
            take(id)?.resume(returning: nil)
        }
        if let answer { return answer }
        if Task.isCancelled { throw .interrupted }
        throw .failed("\(interpreter) ended without an answer")
    }

    private func take(_ id: Int) -> CheckedContinuation<Value?, Never>? {
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

    private func send(_ line: String, _ id: Int, _ continuation: CheckedContinuation<Value?, Never>) {
        let isOpen = state.withLock { state in
            guard !state.hasEnded, !Task.isCancelled else { return false }
            state.waiting[id] = continuation
            var rest = Array(line.utf8)[...]
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes { unsafe write(state.input, $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
            }
            return true
        }
        if !isOpen { continuation.resume(returning: nil) }
    }

    /// Hands out answers on a thread of its own, until there are no more.
    private func listen(_ output: Int32, _ pid: pid_t) {
        DispatchQueue(label: "python").async { [weak self] in
            var bytes: [UInt8] = []
            while true {
                let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                    unsafe count = max(0, read(output, buffer.baseAddress, buffer.count))
                }
                if piece.isEmpty { break }
                bytes += piece
                while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                    self?.answer(Array(bytes[..<end]))
                    bytes.removeSubrange(...end)
                }
            }
            close(output)
            var status: Int32 = 0
            _ = unsafe waitpid(pid, &status, 0)
            self?.end()
        }
    }

    private func answer(_ line: [UInt8]) {
        guard let value = try? JSONReader.read(line), let id = value["id"]?.integer else { return }
        take(id)?.resume(returning: value["answer"] ?? .null)
    }

    private func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for id in waiting.keys.sorted() { waiting[id]?.resume(returning: nil) }
    }
}
