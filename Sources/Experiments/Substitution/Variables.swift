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

    /// Takes in what a file of variables holds, in place of what was set before: keys of the configuration, targets of secrets as a whole.
    ///
    /// - Parameters:
    ///   - text: The file's content.
    ///   - name: Its name: `.json`, `.yaml` and `.yml` hold `configuration` and `secrets`, every other file lines `NAME=VALUE` of the environment.
    /// - Throws: ``DocumentError`` for what cannot be read.
    public mutating func read(file text: String, name: String) throws(DocumentError) {
        let value: Value
        if name.hasSuffix(".json") {
            value = try JSONReader.read(text.utf8)
        } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            value = try YAMLReader.readDocument(text).value
        } else {
            return readEnvironment(text)
        }
        configuration = configuration.merging(value["configuration"]?.object ?? [:])
        secrets = secrets.merging(value["secrets"]?.object ?? [:])
    }

    private mutating func readEnvironment(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let line = String(line).trimmingBlanks
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            let name = String(line[..<equals]).trimmingBlanks
            let value = String(line[line.index(after: equals)...]).trimmingBlanks
            environment[String(name)] = String(value)
        }
    }
}
