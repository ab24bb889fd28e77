/// A value of a document: what JSON or YAML can say, with integers and floating-point numbers apart and objects in order.
public indirect enum Value: Hashable, Sendable {
    /// The value null.
    case null
    /// A boolean.
    case bool(Bool)
    /// A whole number.
    case integer(Int)
    /// A whole number beyond 64 bits, as decimal digits with an optional minus.
    case largeInteger(String)
    /// A floating-point number; also NaN and the infinities, which documents may hold.
    case real(Double)
    /// Text.
    case string(String)
    /// Values in order.
    case array([Value])
    /// Values by name, in order.
    case object(Object)
    /// A date or a time as YAML 1.1 has them, in ISO 8601.
    case date(String)
    /// Bytes; no document holds them, conversions make them.
    case bytes([UInt8])
}

extension Value {
    /// The object, or nil if it is something else.
    public var object: Object? {
        if case .object(let object) = self { object } else { nil }
    }

    /// The array, or nil if it is something else.
    public var array: [Value]? {
        if case .array(let array) = self { array } else { nil }
    }

    /// The text, or nil if it is something else.
    public var string: String? {
        if case .string(let string) = self { string } else { nil }
    }

    /// The boolean, or nil if it is something else.
    public var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// The whole number, or nil if it is something else.
    public var integer: Int? {
        if case .integer(let integer) = self { integer } else { nil }
    }

    /// A number of any kind as a floating-point number; nil for what is not a number, a boolean included.
    public var number: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .largeInteger(let digits): Double(digits)
        case .real(let real): real
        case .null, .bool, .string, .array, .object, .date, .bytes: nil
        }
    }

    /// Whether it is nothing.
    public var isNull: Bool { self == .null }

    /// The value under a name; nil if it is not an object or has none.
    public subscript(name: String) -> Value? { object?[name] }

    /// What kind of value it is, for messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .largeInteger, .real: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        case .date: "a date"
        case .bytes: "bytes"
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Makes a floating-point number.
    public init(floatLiteral value: Double) { self = .real(value) }
    /// Values in order.
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
    /// Values by name; of two of one name the last stays.
    public init(dictionaryLiteral elements: (String, Value)...) {
        var object = Object()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }
}
