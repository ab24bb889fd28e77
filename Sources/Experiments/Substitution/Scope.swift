public import Documents

/// What `${name}` may refer to: the configuration, then each target of the secrets.
public struct Scope: Hashable, Sendable {
    /// The configuration's values.
    public var configuration: Value.Object
    /// The secrets' values, by target.
    public var secrets: Value.Object

    /// Makes a scope of its parts.
    public init(configuration: Value.Object = [:], secrets: Value.Object = [:]) {
        self.configuration = configuration
        self.secrets = secrets
    }

    /// Whether there is nothing to refer to: activities' arguments are then left as they are, even `$$`.
    var isEmpty: Bool { configuration.isEmpty && secrets.isEmpty }

    /// Whether a name stands for something.
    func declares(_ name: String) -> Bool {
        configuration[name] != nil || secrets.values.contains { $0[name] != nil }
    }

    /// Puts values in place of names, in strings and in the strings inside lists and objects.
    ///
    /// A text that is one `${name}` as a whole becomes the value itself; elsewhere the value's text, as Python writes it, is put in. What is not
    /// found stays. Names of members are not touched, and values are not looked at again.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` when a target of the secrets is not an object.
    func substitute(_ value: Value) throws(ActivityError) -> Value {
        switch value {
        case .string(let string): return try substitute(string)
        case .array(let array):
            var result: [Value] = []
            for element in array { result.append(try substitute(element)) }
            return .array(result)
        case .object(let object):
            var result = object
            for (name, member) in object { result[name] = try substitute(member) }
            return .object(result)
        case .null, .bool, .integer, .largeInteger, .real, .date, .bytes: return value
        }
    }

    private func substitute(_ string: String) throws(ActivityError) -> Value {
        guard string.utf8.contains(UInt8(ascii: "$")) else { return .string(string) }
        let text = Array(string.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "$"), index + 1 < text.count else {
                result.append(text[index])
                index += 1
                continue
            }
            if text[index + 1] == UInt8(ascii: "$") {
                result.append(UInt8(ascii: "$"))
                index += 2
                continue
            }
            let isBraced = text[index + 1] == UInt8(ascii: "{")
            let start = index + (isBraced ? 2 : 1)
            var end = start
            while end < text.count, Self.isNamePart(text[end], isFirst: end == start) { end += 1 }
            let isName = end > start && (!isBraced || end < text.count && text[end] == UInt8(ascii: "}"))
            guard isName, let value = try lookUp(String(decoding: text[start..<end], as: UTF8.self)) else {
                result.append(text[index])
                index += 1
                continue
            }
            let next = isBraced ? end + 1 : end
            if isBraced, index == 0, next == text.count { return value }
            result += Array(PythonText.str(value).utf8)
            index = next
        }
        return .string(String(decoding: result, as: UTF8.self))
    }

    private static func isNamePart(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
        default: false
        }
    }

    private func lookUp(_ name: String) throws(ActivityError) -> Value? {
        if let value = configuration[name] { return value }
        for (target, values) in secrets {
            guard let values = values.object else {
                throw .unexpected("the secrets' target '\(target)' is \(values.kind), not an object")
            }
            if let value = values[name] { return value }
        }
        return nil
    }
}
