import Documents

/// The members of an object as Go's decoder gives them to the fields of a struct.
///
/// Names match whatever their case; null leaves a field as it is; a value of another type is an error in Go's words.
struct GoStruct {
    private let object: Value.Object
    /// What Go calls the struct, for messages.
    private let type: String
    /// The names of the structs that it lies in, with dots.
    private let path: String

    /// Takes an object.
    ///
    /// - Throws: ``GoJSONError`` where it is something else; null is an object without members.
    init(_ value: Value, type: String, path: String = "") throws(GoJSONError) {
        switch value {
        case .object(let object): self.object = object
        case .null: object = [:]
        default:
            throw GoJSONError("json: cannot unmarshal \(Self.kind(of: value)) into Go value of type \(type)")
        }
        self.type = type
        self.path = path
    }

    /// A member; of several whose names differ in case, the last.
    subscript(name: String) -> Value? {
        if object.keys.contains(name), let value = object[name] { return value.isNull ? nil : value }
        let member = object.last { $0.key.lowercased() == name }
        return member.flatMap { $0.value.isNull ? nil : $0.value }
    }

    /// A string; nil where there is none.
    ///
    /// - Throws: ``GoJSONError`` for a value of another type.
    func string(_ name: String) throws(GoJSONError) -> String? {
        guard let value = self[name] else { return nil }
        guard case .string(let string) = value else { throw mismatch(value, name, "string") }
        return string
    }

    /// A boolean; nil where there is none.
    ///
    /// - Throws: ``GoJSONError`` for a value of another type.
    func bool(_ name: String) throws(GoJSONError) -> Bool? {
        guard let value = self[name] else { return nil }
        guard case .bool(let bool) = value else { throw mismatch(value, name, "bool") }
        return bool
    }

    /// A number of single precision; nil where there is none.
    ///
    /// - Throws: ``GoJSONError`` for a value of another type.
    func float(_ name: String) throws(GoJSONError) -> Float? {
        guard let value = self[name] else { return nil }
        guard let number = value.number, Float(number).isFinite else { throw mismatch(value, name, "float32") }
        return Float(number)
    }

    /// A number of double precision; nil where there is none.
    ///
    /// - Throws: ``GoJSONError`` for a value of another type.
    func double(_ name: String) throws(GoJSONError) -> Double? {
        guard let value = self[name] else { return nil }
        guard let number = value.number, number.isFinite else { throw mismatch(value, name, "float64") }
        return number
    }

    /// A whole number; nil where there is none.
    ///
    /// - Throws: ``GoJSONError`` for a value of another type, or one with a fraction.
    func integer(_ name: String) throws(GoJSONError) -> Int? {
        guard let value = self[name] else { return nil }
        guard case .integer(let integer) = value else { throw mismatch(value, name, "int64") }
        return integer
    }

    /// A list; nil where there is none.
    ///
    /// - Throws: ``GoJSONError`` for a value of another type.
    func array(_ name: String, of type: String) throws(GoJSONError) -> [Value]? {
        guard let value = self[name] else { return nil }
        guard case .array(let array) = value else { throw mismatch(value, name, "[]\(type)") }
        return array
    }

    /// A struct within; one without members where there is none.
    ///
    /// - Throws: ``GoJSONError`` for a value of another type.
    func object(_ name: String, type: String) throws(GoJSONError) -> GoStruct {
        guard let value = self[name] else { return try GoStruct([:], type: type, path: "\(path)\(name).") }
        guard case .object = value else { throw mismatch(value, name, "toxics.\(type)") }
        return try GoStruct(value, type: type, path: "\(path)\(name).")
    }

    private func mismatch(_ value: Value, _ name: String, _ expected: String) -> GoJSONError {
        GoJSONError(
            "json: cannot unmarshal \(Self.kind(of: value, expected)) into Go struct field \(type).\(path)\(name) "
                + "of type \(expected)")
    }

    private static func kind(of value: Value, _ expected: String = "") -> String {
        switch value {
        case .null: "null"
        case .bool: "bool"
        case .integer(let integer): number("\(integer)", expected)
        case .largeInteger(let digits): number(digits, expected)
        case .real(let real): number(NumberText.json(real), expected)
        case .string, .date, .bytes: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// Go names the digits only where a number was wanted.
    private static func number(_ digits: String, _ expected: String) -> String {
        expected.hasPrefix("int") || expected.hasPrefix("float") ? "number \(digits)" : "number"
    }
}
