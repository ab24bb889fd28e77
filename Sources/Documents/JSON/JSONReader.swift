/// Reads JSON as Python's `json` does: RFC 8259, and besides it NaN, Infinity and -Infinity, whole numbers of any size, and of
/// two members of one name the last.
public struct JSONReader {
    /// How deep lists and objects may lie in each other.
    public static let depthMax: Int = 500

    private let bytes: [UInt8]
    private var index: Int = 0
    private var depth: Int = 0
    private let keepsPlaces: Bool
    private var tokens: [String] = []
    private var places: [Pointer: Place] = [:]
    /// How far lines were counted.
    private var counted: (index: Int, line: Int, lineStart: Int) = (0, 1, 0)

    private init(_ bytes: [UInt8], keepsPlaces: Bool) {
        self.bytes = bytes
        self.keepsPlaces = keepsPlaces
    }

    /// Reads a value.
    ///
    /// - Throws: ``DocumentError`` with the place of the first thing that is not JSON.
    public static func read(_ bytes: some Sequence<UInt8>) throws(DocumentError) -> Value {
        var reader = JSONReader(Array(bytes), keepsPlaces: false)
        return try reader.document()
    }

    /// Reads a value and notes where its parts stand.
    ///
    /// - Throws: ``DocumentError`` with the place of the first thing that is not JSON.
    public static func readDocument(_ bytes: some Sequence<UInt8>) throws(DocumentError) -> Document {
        var reader = JSONReader(Array(bytes), keepsPlaces: true)
        let value = try reader.document()
        return Document(value: value, places: reader.places)
    }

    private mutating func document() throws(DocumentError) -> Value {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { throw error("the text begins with a byte order mark; remove it") }
        skipSpace()
        let value = try value()
        skipSpace()
        guard index == bytes.count else { throw error("there is more after the value") }
        return value
    }

    // MARK: Values

    private mutating func value() throws(DocumentError) -> Value {
        if keepsPlaces, tokens.count <= Document.placeDepthMax, places.count < Document.placesMax {
            places[Pointer(tokens: tokens)] = place()
        }
        guard index < bytes.count else { throw error("a value is missing") }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "N"): return try word("NaN", .real(.nan))
        case UInt8(ascii: "I"): return try word("Infinity", .real(.infinity))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("a value is missing")
        }
    }

    private mutating func word(_ word: String, _ value: Value) throws(DocumentError) -> Value {
        guard bytes[index...].starts(with: word.utf8) else { throw error("a value is missing") }
        index += word.utf8.count
        return value
    }

    private mutating func enter() throws(DocumentError) {
        depth += 1
        guard depth <= Self.depthMax else { throw error("lists and objects lie more than \(Self.depthMax) deep") }
        index += 1
        skipSpace()
    }

    private mutating func array() throws(DocumentError) -> Value {
        try enter()
        var elements: [Value] = []
        if take("]") {
            depth -= 1
            return .array(elements)
        }
        while true {
            if keepsPlaces { tokens.append(String(elements.count)) }
            elements.append(try value())
            if keepsPlaces { tokens.removeLast() }
            skipSpace()
            if take("]") { break }
            guard take(",") else { throw error("a comma or ] is missing") }
            skipSpace()
        }
        depth -= 1
        return .array(elements)
    }

    private mutating func object() throws(DocumentError) -> Value {
        try enter()
        var members = Value.Object()
        if take("}") {
            depth -= 1
            return .object(members)
        }
        while true {
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
                throw error("a name in double quotes is missing")
            }
            let name = try string()
            skipSpace()
            guard take(":") else { throw error("a colon is missing") }
            skipSpace()
            if keepsPlaces { tokens.append(name) }
            members[name] = try value()
            if keepsPlaces { tokens.removeLast() }
            skipSpace()
            if take("}") { break }
            guard take(",") else { throw error("a comma or } is missing") }
            skipSpace()
        }
        depth -= 1
        return .object(members)
    }

    // MARK: Numbers

    private mutating func number() throws(DocumentError) -> Value {
        let start = index
        _ = take("-")
        if bytes[index...].starts(with: "Infinity".utf8) {
            index += 8
            return .real(-.infinity)
        }
        guard index < bytes.count, isDigit(bytes[index]) else { throw error("a digit is missing") }
        // A leading zero stands alone.
        if !take("0") { skipDigits() }
        var isWhole = true
        if index + 1 < bytes.count, bytes[index] == UInt8(ascii: "."), isDigit(bytes[index + 1]) {
            isWhole = false
            index += 1
            skipDigits()
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            var end = index + 1
            if end < bytes.count, bytes[end] == UInt8(ascii: "+") || bytes[end] == UInt8(ascii: "-") { end += 1 }
            if end < bytes.count, isDigit(bytes[end]) {
                isWhole = false
                index = end
                skipDigits()
            }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        guard isWhole else { return .real(Double(text) ?? .nan) }
        return Int(text).map(Value.integer) ?? .largeInteger(text)
    }

    private mutating func skipDigits() {
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    // MARK: Texts

    private mutating func string() throws(DocumentError) -> String {
        index += 1
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\"),
            bytes[index] >= 0x20
        {
            index += 1
        }
        guard index < bytes.count else { throw error("a string does not end") }
        if bytes[index] == UInt8(ascii: "\"") {
            let text = try text(bytes[start..<index])
            index += 1
            return text
        }
        var buffer = Array(bytes[start..<index])
        while true {
            guard index < bytes.count else { throw error("a string does not end") }
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return try text(buffer[...])
            case UInt8(ascii: "\\"): try escape(into: &buffer)
            case ..<0x20: throw error("a string holds a control character; write it as \\n, \\t or \\u00..")
            default:
                buffer.append(byte)
                index += 1
            }
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(DocumentError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw error("a string is not UTF-8") }
        return text
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(DocumentError) {
        guard index + 1 < bytes.count else { throw error("a string does not end") }
        index += 2
        switch bytes[index - 1] {
        case UInt8(ascii: "\""): buffer.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): buffer.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): buffer.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0c)
        case UInt8(ascii: "n"): buffer.append(0x0a)
        case UInt8(ascii: "r"): buffer.append(0x0d)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try hexadecimal()
            if 0xd800..<0xdc00 ~= scalar, bytes[index...].starts(with: "\\u".utf8) {
                let mark = index
                index += 2
                let low = try hexadecimal()
                if 0xdc00..<0xe000 ~= low {
                    scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
                } else {
                    index = mark
                }
            }
            // Half a pair is not a character.
            buffer += Array(String(Character(Unicode.Scalar(scalar) ?? "\u{fffd}")).utf8)
        default:
            index -= 1
            throw error("no escape begins with this character")
        }
    }

    private mutating func hexadecimal() throws(DocumentError) -> UInt32 {
        let digits = bytes[index...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("\\u needs four hexadecimal digits") }
        index += 4
        return value
    }

    // MARK: Helpers

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[index]) { index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func place() -> Place {
        while counted.index < index {
            if bytes[counted.index] == 0x0a {
                counted.line += 1
                counted.lineStart = counted.index + 1
            }
            counted.index += 1
        }
        return Place(line: counted.line, column: index - counted.lineStart + 1)
    }

    private func error(_ problem: String) -> DocumentError {
        var copy = self
        return DocumentError(problem, at: copy.place())
    }
}
