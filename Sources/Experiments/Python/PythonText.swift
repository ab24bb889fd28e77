public import Documents

/// What Python makes of a value: its text, its truth, its equality and its order, on which experiments rely.
enum PythonText {
    /// What `str(value)` gives: what a substitution inside a longer text shows.
    static func str(_ value: Value) -> String {
        switch value {
        case .string(let string): string
        case .date(let date): date.replacing("T", with: " ")
        case .null, .bool, .integer, .largeInteger, .real, .array, .object, .bytes: repr(value)
        }
    }

    /// What `repr(value)` gives: how a value looks inside a list or an object.
    static func repr(_ value: Value) -> String {
        switch value {
        case .null: "None"
        case .bool(let bool): bool ? "True" : "False"
        case .integer(let integer): String(integer)
        case .largeInteger(let digits): digits
        case .real(let real):
            real.isNaN ? "nan" : real.isInfinite ? (real < 0 ? "-inf" : "inf") : NumberText.shortest(real)
        case .string(let string), .date(let string): quoted(string)
        case .array(let array): "[" + array.map(repr).joined(separator: ", ") + "]"
        case .object(let object):
            "{" + object.map { "\(quoted($0.key)): \(repr($0.value))" }.joined(separator: ", ") + "}"
        case .bytes(let bytes): "b" + quoted(String(decoding: bytes, as: UTF8.self))
        }
    }

    private static func quoted(_ string: String) -> String {
        let quote: Unicode.Scalar = string.contains("'") && !string.contains("\"") ? "\"" : "'"
        var text = String(quote)
        for scalar in string.unicodeScalars {
            switch scalar {
            case quote, "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default: text += isPrintable(scalar) ? String(scalar) : escaped(scalar)
            }
        }
        return text + String(quote)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        return "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
    }
}

extension Value {
    /// What Python's `str` makes of it: how experiments spell a value inside a text.
    public var pythonText: String { PythonText.str(self) }

    /// Whether Python takes it for true.
    public var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let bool): bool
        case .integer(let integer): integer != 0
        case .largeInteger: true
        case .real(let real): real != 0
        case .string(let string): !string.isEmpty
        case .array(let array): !array.isEmpty
        case .object(let object): !object.isEmpty
        case .date: true
        case .bytes(let bytes): !bytes.isEmpty
        }
    }

    /// Whether Python's `==` holds: booleans are numbers, integers and floating-point numbers compare by value, strings by character.
    func equalsInPython(_ other: Value) -> Bool {
        switch (self, other) {
        case (.null, .null): true
        case (.string(let left), .string(let right)), (.date(let left), .date(let right)):
            // Not canonical equivalence, as Swift's own comparison.
            left.unicodeScalars.elementsEqual(right.unicodeScalars)
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.equalsInPython($1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && left.allSatisfy { name, value in right[name].map { value.equalsInPython($0) } ?? false }
        case (.bytes(let left), .bytes(let right)): left == right
        default: comparedAsNumber(other) == .same
        }
    }

    /// How two numbers compare.
    enum NumberOrder {
        case less
        case same
        case greater
        /// At least one number is NaN.
        case unordered
    }

    /// How two numbers compare, booleans among them; nil when one is not a number.
    func comparedAsNumber(_ other: Value) -> NumberOrder? {
        if let left = wholeNumber, let right = other.wholeNumber {
            return left == right ? .same : left < right ? .less : .greater
        }
        if case .largeInteger(let left) = self, case .largeInteger(let right) = other, left == right { return .same }
        guard let left = pythonNumber, let right = other.pythonNumber else { return nil }
        return left == right ? .same : left < right ? .less : left > right ? .greater : .unordered
    }

    private var wholeNumber: Int? {
        switch self {
        case .bool(let bool): bool ? 1 : 0
        case .integer(let integer): integer
        case .null, .largeInteger, .real, .string, .array, .object, .date, .bytes: nil
        }
    }

    /// The number that Python sees, booleans among them.
    var pythonNumber: Double? {
        if case .bool(let bool) = self { bool ? 1 : 0 } else { number }
    }
}
