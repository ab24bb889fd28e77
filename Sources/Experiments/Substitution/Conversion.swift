public import Documents

/// The types that `env_var_type` and `--var NAME:TYPE=VALUE` convert to.
public enum ConversionType: String, CaseIterable, Sendable {
    /// Text.
    case text = "str"
    /// A whole number.
    case integer = "int"
    /// A floating-point number.
    case real = "float"
    /// Bytes of UTF-8.
    case bytes
    /// A boolean: all but false, 0 and no is true.
    case bool
    /// JSON.
    case json

    /// The type of a name as experiments spell it; nil for an unknown one.
    public init?(name: String) {
        switch name {
        case "str", "string": self = .text
        case "int", "integer": self = .integer
        case "float", "number": self = .real
        case "bytes": self = .bytes
        case "bool": self = .bool
        case "json": self = .json
        default: return nil
        }
    }

    /// Converts a text.
    ///
    /// - Throws: ``ConversionError`` when the text is not a value of the type.
    public func convert(_ text: String) throws(ConversionError) -> Value {
        switch self {
        case .text: return .string(text)
        case .integer:
            guard let value = PythonNumber.integer(text) else { throw .notA("whole number", text) }
            return value
        case .real:
            guard let value = PythonNumber.real(text) else { throw .notA("number", text) }
            return .real(value)
        case .bytes: return .bytes(Array(text.utf8))
        case .bool: return .bool(!["false", "0", "no"].contains(text.lowercased()))
        case .json:
            do {
                return try JSONReader.read(text.utf8)
            } catch {
                throw .notJSON(error)
            }
        }
    }
}

/// Why a text cannot be converted.
public enum ConversionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text is not a value of the type.
    case notA(String, String)
    /// The text is not JSON.
    case notJSON(DocumentError)
    /// There is no type of that name.
    case unknownType(String)

    /// What is wrong.
    public var description: String {
        switch self {
        case .notA(let type, let text): "'\(text)' is not of type \(type)"
        case .notJSON(let error): "not JSON: \(error)"
        case .unknownType(let name): "there is no type '\(name)'; take bool, str, int, float, bytes or json"
        }
    }
}
