public import Documents

/// Values that the caller sets in place of what an experiment's configuration and secrets say.
public struct Variables: Hashable, Sendable {
    /// Definitions of the configuration, by key; they take effect for keys that the experiment declares.
    public var configuration: Value.Object
    /// Secrets by target, each in place of a whole target that the experiment declares.
    public var secrets: Value.Object
    /// Variables of the process' environment.
    public var environment: [String: String]

    /// Makes variables of their parts.
    public init(
        configuration: Value.Object = [:], secrets: Value.Object = [:], environment: [String: String] = [:]
    ) {
        self.configuration = configuration
        self.secrets = secrets
        self.environment = environment
    }

    /// Sets a variable as the command line says it: `NAME=VALUE` or `NAME:TYPE=VALUE`.
    ///
    /// - Throws: ``ConversionError`` for an unknown type or a value that is not of it, and for a text without `=`.
    public mutating func set(_ assignment: String) throws(ConversionError) {
        guard let equals = assignment.firstIndex(of: "=") else {
            throw .notA("assignment NAME[:TYPE]=VALUE", assignment)
        }
        var name = assignment[..<equals]
        let text = String(assignment[assignment.index(after: equals)...])
        var type = ConversionType.text
        if let colon = name.lastIndex(of: ":") {
            let typeName = String(name[name.index(after: colon)...])
            guard let known = ConversionType(name: typeName) else { throw .unknownType(typeName) }
            type = known
            name = name[..<colon]
        }
        configuration[String(name)] = try type.convert(text)
    }
}
