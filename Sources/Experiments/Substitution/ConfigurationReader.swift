import Documents

/// Turns the definitions of an experiment's configuration and secrets into values.
struct ConfigurationReader {
    let variables: Variables
    /// The process' environment.
    let environment: [String: String]

    /// Why a definition has no value.
    enum Problem: Error, CustomStringConvertible {
        /// The environment lacks a variable; validation says so.
        case missingVariable(String)
        /// The definition cannot be used at all.
        case unusable(String)

        var description: String {
            switch self {
            case .missingVariable(let message), .unusable(let message): message
            }
        }
    }

    /// A key whose value a probe finds when the run begins.
    struct DynamicKey: Hashable {
        let key: String
        let probe: Value.Object
        /// The keys before it: the probe may refer to these alone.
        let visible: Set<String>
    }

    func variable(_ name: String) -> String? { variables.environment[name] ?? environment[name] }

    /// The values of a configuration, and the keys that probes must find.
    func configuration(_ definitions: Value?) throws(Problem) -> (values: Value.Object, dynamic: [DynamicKey]) {
        var values = Value.Object()
        var dynamic: [DynamicKey] = []
        var before: Set<String> = []
        for (key, definition) in try object(definitions, "the configuration") {
            let definition = variables.configuration[key] ?? definition
            defer { before.insert(key) }
            guard let object = definition.object else {
                values[key] = definition
                continue
            }
            switch object["type"]?.string {
            case "env": values[key] = try value(of: object)
            case "probe": dynamic.append(DynamicKey(key: key, probe: object, visible: before))
            default: values[key] = definition
            }
        }
        return (values, dynamic)
    }

    /// The values of secrets, by target.
    func secrets(_ definitions: Value?) throws(Problem) -> Value.Object {
        var targets = Value.Object()
        for (target, definition) in try object(definitions, "the secrets") {
            if definition.object != nil, let given = variables.secrets[target], !given.isNull {
                targets[target] = given
            } else {
                targets[target] = try secret(definition)
            }
        }
        return targets
    }

    /// What names stand for as far as that is known before a run: without what a probe finds, and without what cannot be read.
    func known(of experiment: Experiment) -> Scope {
        var scope = Scope()
        for (key, definition) in experiment["configuration"]?.object ?? [:] {
            guard let values = try? configuration(.object([key: definition])).values else { continue }
            scope.configuration = scope.configuration.merging(values)
        }
        for (target, definition) in experiment["secrets"]?.object ?? [:] where definition.object != nil {
            guard let values = try? secrets(.object([target: definition])) else { continue }
            scope.secrets = scope.secrets.merging(values)
        }
        for (target, values) in scope.secrets where values.object == nil { scope.secrets[target] = nil }
        return scope
    }

    private func secret(_ definition: Value) throws(Problem) -> Value {
        guard let object = definition.object else { return definition }
        switch object["type"]?.string {
        case "env":
            guard let key = object["key"]?.string else { throw .unusable("a secret from the environment needs a key") }
            guard let text = variable(key) else {
                throw .missingVariable("Secrets make reference to an environment key that does not exist: \(key)")
            }
            return .string(text)
        case "vault":
            throw .unusable(
                "secrets from a vault cannot be read; take them from the environment or a file of variables")
        default:
            var values = Value.Object()
            for (key, value) in object { values[key] = try secret(value) }
            return .object(values)
        }
    }

    private func object(_ value: Value?, _ what: String) throws(Problem) -> Value.Object {
        guard let value else { return [:] }
        guard let object = value.object else { throw .unusable("\(what) must be an object, not \(value.kind)") }
        return object
    }

    private func value(of definition: Value.Object) throws(Problem) -> Value {
        guard let key = definition["key"]?.string else {
            throw .unusable("a value from the environment needs a key that is a string")
        }
        let found: Value
        if let text = variable(key) {
            found = .string(text)
        } else if let standard = definition["default"] {
            found = standard
        } else {
            throw .missingVariable("Configuration makes reference to an environment key that does not exist: \(key)")
        }
        guard let typeName = definition["env_var_type"], !typeName.isNull else { return found }
        guard let type = typeName.string.flatMap(ConversionType.init(name:)) else {
            throw .unusable("\(key): \(ConversionError.unknownType(PythonText.str(typeName)))")
        }
        return try convert(found, to: type, of: key)
    }

    private func convert(_ value: Value, to type: ConversionType, of key: String) throws(Problem) -> Value {
        if case .string(let text) = value {
            // An empty string is not JSON, and stays what it is.
            if type == .json, text.isEmpty { return value }
            do {
                return try type.convert(text)
            } catch {
                throw .unusable("\(key): \(error)")
            }
        }
        switch (type, value) {
        case (.text, _), (.json, _), (.bool, .bool), (.integer, .integer), (.integer, .largeInteger), (.real, .real):
            return value
        case (.integer, .bool(let bool)): return .integer(bool ? 1 : 0)
        case (.integer, .real(let real)):
            if let integer = Int(exactly: real.rounded(.towardZero)) { return .integer(integer) }
        case (.real, _):
            if let number = value.pythonNumber { return .real(number) }
        case (.integer, _), (.bool, _), (.bytes, _): break
        }
        throw .unusable("\(key): \(value.kind) cannot be made a value of the type '\(type.rawValue)'")
    }
}
