/// A place in a document, as RFC 6901 writes it.
public struct Pointer: Hashable, Sendable, CustomStringConvertible {
    /// The names and indices from the document's root.
    public var tokens: [String]

    /// The document itself.
    public static let root: Pointer = Pointer(tokens: [])

    /// Makes a pointer of its parts.
    public init(tokens: [String]) {
        self.tokens = tokens
    }

    /// Reads a pointer such as `/rooms/0/temp`; nil when it begins with anything but a slash.
    public init?(_ text: String) {
        guard text.isEmpty || text.hasPrefix("/") else { return nil }
        tokens = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { token in
            Self.replace("~0", by: "~", in: Self.replace("~1", by: "/", in: String(token)))
        }
    }

    /// The place of a member or an element.
    public func appending(_ token: String) -> Pointer { Pointer(tokens: tokens + [token]) }

    /// The place of an element.
    public func appending(_ index: Int) -> Pointer { appending(String(index)) }

    /// As RFC 6901 writes it.
    public var description: String {
        tokens.map { "/" + Self.replace("/", by: "~1", in: Self.replace("~", by: "~0", in: $0)) }.joined()
    }

    private static func replace(_ old: String, by new: String, in text: String) -> String {
        guard text.contains("~") || text.contains("/") else { return text }
        var result = ""
        var rest = text[...]
        while !rest.isEmpty {
            if rest.hasPrefix(old) {
                result += new
                rest = rest.dropFirst(old.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}

extension Value {
    /// The value at a place; nil if there is none.
    public subscript(pointer: Pointer) -> Value? {
        var value = self
        for token in pointer.tokens {
            switch value {
            case .object(let object):
                guard let next = object[token] else { return nil }
                value = next
            case .array(let array):
                guard let index = Int(token), array.indices.contains(index) else { return nil }
                value = array[index]
            case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: return nil
            }
        }
        return value
    }

    /// Changes the value at a place that exists, or adds a member to an object; anything else changes nothing.
    public mutating func set(_ pointer: Pointer, to value: Value) {
        set(pointer.tokens[...], to: value)
    }

    private mutating func set(_ tokens: ArraySlice<String>, to value: Value) {
        guard let token = tokens.first else {
            self = value
            return
        }
        switch self {
        case .object(var object):
            self = .null
            if tokens.count == 1 {
                object[token] = value
            } else {
                object[token]?.set(tokens.dropFirst(), to: value)
            }
            self = .object(object)
        case .array(var array):
            guard let index = Int(token), array.indices.contains(index) else { return }
            self = .null
            array[index].set(tokens.dropFirst(), to: value)
            self = .array(array)
        case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: return
        }
    }
}
