public import Documents

/// Takes secrets out of what others will read.
public struct Redactor: Hashable, Sendable {
    /// What stands in a secret's place.
    public static let mark: String = "[redacted]"
    /// Shorter values are not looked for in texts: they would be found everywhere.
    public static let charactersMin: Int = 4

    private var values: [String] = []

    /// Takes nothing out.
    public init() {}

    /// Takes out all texts and numbers of the secrets, in the forms that addresses, forms and JSON give them; the longest first, so that
    /// none shows the rest of another.
    public init(secrets: Value.Object) {
        var found: Set<String> = []
        Self.gather(.object(secrets), into: &found)
        values = found.sorted { ($0.count, $0) > ($1.count, $1) }
    }

    private static func gather(_ value: Value, into found: inout Set<String>) {
        switch value {
        case .string(let text): found.formUnion(forms(of: text).filter { $0.count >= charactersMin })
        case .integer, .largeInteger, .real:
            let digits = PythonText.str(value)
            if digits.count >= charactersMin { found.insert(digits) }
        case .array(let array): for element in array { gather(element, into: &found) }
        case .object(let object): for member in object.values { gather(member, into: &found) }
        case .null, .bool, .date, .bytes: break
        }
    }

    /// A text as it may be seen elsewhere: without the blanks around it, escaped as JSON, quoted as in an address, a path or a form.
    private static func forms(of text: String) -> [String] {
        let bare = String(text.trimmingBlanks)
        return [
            bare, String(JSONWriter.write(.string(bare)).dropFirst().dropLast()), PythonURL.formQuoted(bare),
            PythonURL.quoted(bare, allowing: "-._~"), PythonURL.quoted(bare, allowing: "/:@!$&'()*+,;=~-._?"),
        ]
    }

    /// A text without secrets.
    public func redact(_ text: String) -> String {
        var text = text
        for value in values where text.contains(value) { text = text.replacing(value, with: Self.mark) }
        return text
    }

    /// A value without secrets in its texts.
    public func redact(_ value: Value) -> Value {
        switch value {
        case .string(let text): .string(redact(text))
        case .array(let array): .array(array.map { redact($0) })
        case .object(let object): .object(object.mapValues { redact($0) })
        case .integer, .largeInteger, .real: values.contains(PythonText.str(value)) ? .string(Self.mark) : value
        case .null, .bool, .date, .bytes: value
        }
    }

    /// An experiment's value without secrets, those that it declares in plain words among them, however short.
    public func redact(experiment: Value) -> Value {
        var experiment = redact(experiment)
        let pointer = Pointer(tokens: ["secrets"])
        if let secrets = experiment[pointer] { experiment.set(pointer, to: Self.hidden(secrets)) }
        return experiment
    }

    /// A journal's value without secrets: in the experiment, and in what activities were, gave and failed of.
    ///
    /// What the engine wrote itself, such as times and statuses, stays whatever secrets look like.
    public func redact(journal: Value) -> Value {
        guard let members = journal.object else { return redact(journal) }
        var redacted = Value.Object()
        for (name, value) in members {
            switch name {
            case "experiment": redacted[name] = redact(experiment: value)
            case "run", "rollbacks", "steady_states": redacted[name] = redact(entries: value)
            default: redacted[name] = value
            }
        }
        return .object(redacted)
    }

    private func redact(entries: Value) -> Value {
        switch entries {
        case .array(let array): return .array(array.map { redact(entries: $0) })
        case .object(let object):
            var redacted = Value.Object()
            for (name, value) in object {
                let isOthers = ["activity", "output", "exception"].contains(name)
                redacted[name] = isOthers ? redact(value) : redact(entries: value)
            }
            return .object(redacted)
        case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: return entries
        }
    }

    /// Puts a mark in the place of each plain value; what says where a secret comes from stays.
    private static func hidden(_ value: Value) -> Value {
        guard let object = value.object else { return .string(mark) }
        if let type = object["type"]?.string, type == "env" || type == "vault" { return value }
        return .object(object.mapValues(hidden))
    }
}

extension Journal {
    /// The journal as it is written, without what a redactor takes out; nil leaves everything in.
    public func value(redactedBy redactor: Redactor?) -> Value {
        redactor?.redact(journal: value) ?? value
    }
}
