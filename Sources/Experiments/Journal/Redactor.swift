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

    /// Takes out all texts of the secrets; the longest first, so that none shows the rest of another.
    public init(secrets: Value.Object) {
        var found: Set<String> = []
        Self.gather(.object(secrets), into: &found)
        values = found.sorted { ($0.count, $0) > ($1.count, $1) }
    }

    private static func gather(_ value: Value, into found: inout Set<String>) {
        switch value {
        case .string(let text): if text.count >= charactersMin { found.insert(text) }
        case .array(let array): for element in array { gather(element, into: &found) }
        case .object(let object): for member in object.values { gather(member, into: &found) }
        case .integer, .largeInteger, .real, .null, .bool, .date, .bytes: break
        }
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
        case .null, .bool, .integer, .largeInteger, .real, .date, .bytes: value
        }
    }

    /// A journal's value without secrets, those that its experiment declares in plain words among them, however short.
    public func redact(journal: Value) -> Value {
        var journal = redact(journal)
        let pointer = Pointer(tokens: ["experiment", "secrets"])
        if let secrets = journal[pointer] { journal.set(pointer, to: Self.hidden(secrets)) }
        return journal
    }

    /// The same with a mark for each plain value; what says where a secret comes from stays.
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
