public import Documents

extension Variables {
    /// What the parts of a file are called.
    private static let parts: [String] = ["configuration", "secrets"]

    /// Takes in what a file of variables holds, in place of what was set before: keys of the configuration, targets of secrets as a whole.
    ///
    /// - Parameters:
    ///   - text: The file's content.
    ///   - name: Its name: `.json`, `.yaml` and `.yml` hold `configuration` and `secrets`, every other file lines `NAME=VALUE` of the environment.
    /// - Returns: What of it has no effect, in words.
    /// - Throws: `DocumentError` for what cannot be read.
    @discardableResult
    public mutating func read(file text: String, name: String) throws(DocumentError) -> [String] {
        let value: Value
        let text = text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text
        if name.hasSuffix(".json") {
            value = try JSONReader.read(text.utf8)
        } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            value = try YAMLReader.readDocument(text).value
        } else {
            return readEnvironment(text)
        }
        configuration = configuration.merging(value["configuration"]?.object ?? [:])
        secrets = secrets.merging(value["secrets"]?.object ?? [:])
        return Self.warnings(of: value)
    }

    private static func warnings(of value: Value) -> [String] {
        guard let object = value.object else {
            return ["it is \(value.kind) and sets no variables; write {\"configuration\": {\"name\": ...}}"]
        }
        var warnings: [String] = []
        for name in parts {
            guard let part = object[name], part.object == nil else { continue }
            warnings.append("'\(name)' is \(part.kind), not an object, and sets nothing")
        }
        for (target, values) in object["secrets"]?.object ?? [:] where values.object == nil {
            warnings.append("the secrets' target '\(target)' is \(values.kind), not an object")
        }
        let others = object.keys.filter { !parts.contains($0) }
        if !others.isEmpty {
            let names = others.prefix(5).map { "'\($0)'" }.joined(separator: ", ") + (others.count > 5 ? ", ..." : "")
            warnings.append(
                "\(names) at the top set\(others.count == 1 ? "s" : "") nothing; variables stand in \"configuration\", secrets in \"secrets\""
            )
        }
        if object.isEmpty { warnings.append("it is empty and sets no variables") }
        return warnings
    }

    private mutating func readEnvironment(_ text: String) -> [String] {
        var warnings: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let line = String(line).trimmingBlanks
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let equals = line.firstIndex(of: "=") else {
                warnings.append("line \(index + 1): '\(line.prefix(40))' sets nothing; a line is NAME=VALUE")
                continue
            }
            let name = String(line[..<equals]).trimmingBlanks
            let value = String(line[line.index(after: equals)...]).trimmingBlanks
            environment[String(name)] = String(value)
            if name.contains(where: \.isWhitespace) {
                warnings.append("line \(index + 1): '\(name)' is not the name of a variable; a line is NAME=VALUE")
            }
            if let first = value.first, "\"'".contains(first), value.count > 1, value.last == first {
                warnings.append("line \(index + 1): the quotes are a part of the value of '\(name)'")
            }
        }
        return warnings
    }
}
