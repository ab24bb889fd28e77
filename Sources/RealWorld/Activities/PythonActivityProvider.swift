import Documents
import Experiments

/// Performs Python activities by the user's own Python: the one of `WINDKANAL_PYTHON`, else `python3`.
struct PythonActivityProvider {
    private let environment: [String: String]
    private let interpreter: String?

    init(environment: [String: String]) {
        self.environment = environment
        interpreter = Programs(environment: environment).locate(environment["WINDKANAL_PYTHON"] ?? "python3")
    }

    private static let missing: String =
        "there is no Python to call functions with; install python3 or name one in WINDKANAL_PYTHON"

    /// What is wrong with functions, in their order: nil where they can be called.
    func problems(of functions: [PythonFunction]) async -> [String?] {
        let wanted = functions.map { function -> Value in
            [
                "module": .string(function.module), "name": .string(function.name),
                "type": .string(function.activityType), "activity": .string(function.activity),
                "arguments": .array(function.arguments.map(Value.string)),
            ]
        }
        do {
            let answer = try await ask(["functions": .array(wanted)])
            return (answer.array ?? []).map(\.string)
        } catch {
            return functions.map { _ in error.description }
        }
    }

    /// Calls a function.
    ///
    /// - Returns: What it returns.
    /// - Throws: ``ActivityError``.
    func perform(_ call: PythonCall) async throws(ActivityError) -> Value {
        let answer = try await ask([
            "module": .string(call.module), "function": .string(call.function), "arguments": .object(call.arguments),
            "secrets": call.secrets ?? .null, "configuration": .object(call.configuration),
        ])
        if let value = answer["value"] { return value }
        if answer["interrupted"] != nil { throw .interrupted }
        if let message = answer["failed"]?.string { throw .failed(message) }
        if let message = answer["unwritable"]?.string {
            throw .unexpected("what '\(call.module).\(call.function)' returns cannot be written to a journal: \(message)")
        }
        throw .unexpected(answer["unexpected"]?.string ?? "Python gave no answer")
    }

    private func ask(_ request: Value) async throws(ActivityError) -> Value {
        guard let interpreter else { throw .failed(Self.missing) }
        let child = ChildProcess(
            path: interpreter, arguments: [interpreter, "-c", PythonHelper.source], environment: environment,
            input: Array(JSONWriter.write(request).utf8), isKilledOnCancel: true)
        switch await child.run() {
        case .ended(_, let output, let errors):
            do {
                return try JSONReader.read(output)
            } catch {
                let lines = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
                throw .failed("\(interpreter) gave no answer: \(lines.last ?? "it wrote nothing")")
            }
        case .cancelled: throw .interrupted
        case .timedOut: throw .failed("python activity took too long to complete")
        case .notStarted(let reason): throw .failed("\(interpreter) cannot be started: \(reason)")
        case .tooMuchOutput(let limit): throw .failed("the Python function wrote more than \(limit) bytes")
        }
    }
}
