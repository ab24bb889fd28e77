import Documents
import Experiments

/// Performs Python activities by the user's own Python: the one of `WINDKANAL_PYTHON`, else `python3`.
struct PythonActivityProvider {
    private let worker: PythonWorker?

    init(environment: [String: String]) {
        worker = Programs(environment: environment).locate(environment["WINDKANAL_PYTHON"] ?? "python3")
            .map { PythonWorker(interpreter: $0, environment: environment) }
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
    /// - Returns: What it returns; what is no JSON as Python's text for it.
    /// - Throws: ``ActivityError``.
    func perform(_ call: PythonCall) async throws(ActivityError) -> Value {
        let answer = try await ask([
            "module": .string(call.module), "function": .string(call.function), "arguments": .object(call.arguments),
            "secrets": call.secrets ?? .null, "configuration": .object(call.configuration),
            "background": .bool(call.isBackground),
        ])
        if let value = answer["value"] { return value }
        if answer["interrupted"] != nil { throw .interrupted }
        if let message = answer["failed"]?.string { throw .failed(message) }
        throw .unexpected(answer["unexpected"]?.string ?? "Python gave no answer")
    }

    private func ask(_ request: Value) async throws(ActivityError) -> Value {
        guard let worker else { throw .failed(Self.missing) }
        return try await worker.ask(Self.encoded(request))
    }

    /// The value with bytes as the helper knows them: JSON has none.
    private static func encoded(_ value: Value) -> Value {
        switch value {
        case .bytes(let bytes): .object(["\0bytes": .array(bytes.map { .integer(Int($0)) })])
        case .array(let array): .array(array.map(encoded))
        case .object(let object): .object(object.mapValues(encoded))
        case .null, .bool, .integer, .largeInteger, .real, .string, .date: value
        }
    }
}
