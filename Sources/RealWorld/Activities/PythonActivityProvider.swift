import Documents
import Experiments

/// Performs Python activities by the user's own Python: the one of `WINDKANAL_PYTHON`, else `python3`.
struct PythonActivityProvider {
    private let worker: PythonWorker?
    /// What was looked for in vain.
    private let missing: ActivityProblem

    /// Looks for Python; `log` hears what functions tell.
    init(environment: [String: String], log: @escaping @Sendable (LogLevel, String) -> Void) {
        let named = environment["WINDKANAL_PYTHON"]
        worker = Programs(environment: environment).locate(named ?? "python3")
            .map { PythonWorker(interpreter: $0, environment: environment, log: log) }
        missing =
            named.map {
                ActivityProblem(
                    "there is no Python to call functions with: WINDKANAL_PYTHON names '\($0)', which is no program",
                    remedy: "give the path of a Python")
            }
            ?? ActivityProblem(
                "there is no Python to call functions with: python3 is not in PATH",
                remedy: "install it, or name a Python in WINDKANAL_PYTHON")
    }

    /// What is wrong with functions, in their order: nil where they can be called.
    func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] {
        guard worker != nil else { return functions.map { _ in missing } }
        let wanted = functions.map { function -> Value in
            [
                "module": .string(function.module), "name": .string(function.name),
                "type": .string(function.activityType), "activity": .string(function.activity),
                "arguments": .array(function.arguments.keys.map(Value.string)),
            ]
        }
        do {
            let answer = try await ask(["functions": .array(wanted)])
            return (answer.array ?? []).map { found in
                found["message"]?.string.map { ActivityProblem($0, remedy: found["remedy"]?.string) }
            }
        } catch {
            return functions.map { _ in ActivityProblem(error.description) }
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
        guard let worker else { throw .failed("\(missing.message); \(missing.remedy ?? "")") }
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
