import Documents
import Experiments

/// Performs Python activities by the user's own Python: the one of `WINDKANAL_PYTHON`, else `python3`.
struct PythonActivityProvider {
    private let worker: PythonWorker?
    /// What was looked for in vain.
    private let missing: ActivityProblem

    /// Looks for Python; `log` takes what functions log.
    init(environment: [String: String], log: @escaping @Sendable (LogLevel, String) -> Void) {
        let named = environment["WINDKANAL_PYTHON"]
        worker = Programs(environment: environment).locate(named ?? "python3")
            .map { PythonWorker(interpreter: $0, environment: environment, log: log) }
        missing =
            named.map {
                ActivityProblem(
                    "there is no Python to call functions with: WINDKANAL_PYTHON names '\($0)', which is not a program",
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
    /// - Returns: What it returns; what is not JSON as Python's text for it.
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

    // MARK: Controls

    /// Calls a function of a control.
    ///
    /// - Throws: ``ActivityError/interrupted`` when the calling task was cancelled.
    func call(_ call: ControlCall) async throws(ActivityError) -> ControlOutcome {
        var part: [String] = []
        var source: String?
        switch call.context {
        case .part(let pointer): part = pointer.tokens
        case .source(let text): source = text
        }
        let answer: Value
        do {
            answer = try await ask([
                "control": .string(call.module), "function": .string(call.function.name),
                "arguments": .object(call.arguments), "offers": .array(call.function.offers.map(Value.string)),
                "part": .array(part.map(Value.string)), "source": source.map(Value.string) ?? .null,
                "experiment": call.experiment ?? .null, "configuration": .object(call.scope.configuration),
                "secrets": .object(call.scope.secrets), "settings": call.settings ?? .null,
                "state": call.state ?? .null, "background": .bool(call.isBackground),
            ])
        } catch .interrupted {
            throw .interrupted
        } catch {
            return ControlOutcome(.failed(error.description))
        }
        return Self.outcome(Self.decoded(answer))
    }

    private static func outcome(_ answer: Value) -> ControlOutcome {
        let message = answer["message"]?.string ?? ""
        let end: ControlOutcome.End =
            switch answer["end"]?.string {
            case "returned": .returned
            case "absent": .absent
            case "no-module": .noModule
            case "interrupted": .interrupted(message)
            default: .failed(message)
            }
        var outcome = ControlOutcome(end)
        outcome.experiment = answer["changed"]?["experiment"]
        outcome.configuration = answer["changed"]?["configuration"]?.object
        outcome.secrets = answer["changed"]?["secrets"]?.object
        outcome.state = answer["changed"]?["state"]
        return outcome
    }

    /// What is wrong with controls, in their order.
    func problems(of controls: [Control]) async -> [ControlProblem?] {
        guard worker != nil else { return controls.map { _ in ControlProblem(missing.message, isError: false) } }
        do {
            let answer = try await ask(["controls": .array(controls.map { .object($0.source) })])
            return (answer.array ?? []).map { found in
                found["message"]?.string.map { ControlProblem($0, isError: found["error"]?.bool ?? false) }
            }
        } catch {
            return controls.map { _ in ControlProblem(error.description, isError: false) }
        }
    }

    private func ask(_ request: Value) async throws(ActivityError) -> Value {
        guard let worker else { throw .failed("\(missing.message); \(missing.remedy ?? "")") }
        return try await worker.ask(Self.encoded(request))
    }

    /// The value with the helper's form of bytes taken for bytes.
    private static func decoded(_ value: Value) -> Value {
        switch value {
        case .object(let object):
            guard object.count == 1, let bytes = object["\0bytes"]?.array else {
                return .object(object.mapValues(decoded))
            }
            return .bytes(bytes.compactMap { $0.integer.flatMap(UInt8.init(exactly:)) })
        case .array(let array): return .array(array.map(decoded))
        case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: return value
        }
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

extension ControlCall.Function {
    /// What the function is given if it has parameters of these names.
    fileprivate var offers: [String] {
        switch self {
        case .configure: ["experiment", "secrets", "configuration", "settings", "event_registry"]
        case .cleanUp: []
        case .around: ["secrets", "configuration", "state", "experiment", "extensions", "settings"]
        }
    }
}
