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
        try scan(bytes) { (reader) throws(DocumentError) in try reader.value() }
    }

    /// Reads a document part by part, without making values of it.
    ///
    /// - Parameters:
    ///   - bytes: The document.
    ///   - body: Reads the document's value, all of it, with the reader that it is given.
    /// - Returns: What the body returns.
    /// - Throws: ``DocumentError`` with the place of the first thing that is not JSON.
    package static func scan<Result>(
        _ bytes: some Sequence<UInt8>, _ body: (inout JSONReader) throws(DocumentError) -> Result
    ) throws(DocumentError) -> Result {
        var reader = JSONReader(copy(bytes), keepsPlaces: false)
        return try reader.document(body)
    }

    /// Reads a value and notes where its parts stand.
    ///
    /// - Throws: ``DocumentError`` with the place of the first thing that is not JSON.
    public static func readDocument(_ bytes: some Sequence<UInt8>) throws(DocumentError) -> Document {
        var reader = JSONReader(copy(bytes), keepsPlaces: true)
        let value = try reader.document { (reader) throws(DocumentError) in try reader.value() }
        return Document(value: value, places: reader.places)
    }

    /// A copy at once, and not byte by byte, of what lies in one piece.
    private static func copy(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.withContiguousStorageIfAvailable { unsafe Array($0) } ?? Array(bytes)
    }

    private mutating func document<Result>(
        _ body: (inout JSONReader) throws(DocumentError) -> Result
    ) throws(DocumentError) -> Result {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { throw error("the text begins with a byte order mark; remove it") }
        skipSpace()
        let result = try body(&self)
        skipSpace()
        guard index == bytes.count else { throw error("there is more after the value") }
        return result
    }

    // MARK: Values

    mutating func value() throws(DocumentError) -> Value {
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
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return switch try number() {
            case .integer(let integer): .integer(integer)
            case .largeInteger(let digits): .largeInteger(digits)
            case .real(let real): .real(real)
            }
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
        var elements: [Value] = []
        try forEachElement { (reader) throws(DocumentError) in
            if reader.keepsPlaces { reader.tokens.append(String(elements.count)) }
            elements.append(try reader.value())
            if reader.keepsPlaces { reader.tokens.removeLast() }
        }
        return .array(elements)
    }

    mutating func forEachElement(
        _ body: (inout JSONReader) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        try enter()
        defer { depth -= 1 }
        if take("]") { return }
        while true {
            try body(&self)
            skipSpace()
            if take("]") { return }
            guard take(",") else { throw error("a comma or ] is missing") }
            skipSpace()
        }
    }

    private mutating func object() throws(DocumentError) -> Value {
        var members = Value.Object()
        try forEachMember { (name, reader) throws(DocumentError) in
            if reader.keepsPlaces { reader.tokens.append(name) }
            members[name] = try reader.value()
            if reader.keepsPlaces { reader.tokens.removeLast() }
        }
        return .object(members)
    }

    mutating func forEachMember(
        _ body: (String, inout JSONReader) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        try enter()
        defer { depth -= 1 }
        if take("}") { return }
        while true {
            guard isNext("\"") else { throw error("a name in double quotes is missing") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw error("a colon is missing") }
            skipSpace()
            try body(name, &self)
            skipSpace()
            if take("}") { return }
            guard take(",") else { throw error("a comma or } is missing") }
            skipSpace()
        }
    }

    // MARK: Numbers

    /// A number as it is written.
    enum Number {
        case integer(Int)
        case largeInteger(String)
        case real(Double)
    }

    mutating func number() throws(DocumentError) -> Number {
        let start = index
        let isNegative = take("-")
        if isNext("I"), bytes[index...].starts(with: "Infinity".utf8) {
            index += 8
            return .real(-.infinity)
        }
        let firstDigit = index
        guard index < bytes.count, isDigit(bytes[index]) else { throw error("a digit is missing") }
        // A leading zero stands alone.
        if !take("0") { skipDigits() }
        var point: Int?
        if index + 1 < bytes.count, bytes[index] == UInt8(ascii: "."), isDigit(bytes[index + 1]) {
            point = index
            index += 1
            skipDigits()
        }
        var hasExponent = false
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            var end = index + 1
            if end < bytes.count, bytes[end] == UInt8(ascii: "+") || bytes[end] == UInt8(ascii: "-") { end += 1 }
            if end < bytes.count, isDigit(bytes[end]) {
                hasExponent = true
                index = end
                skipDigits()
            }
        }
        // Few digits are a number of 64 bits, or a quotient of two that are exact.
        if !hasExponent, index - firstDigit <= NumberText.exactDigitsMax {
            let digits = digits(firstDigit..<index, but: point)
            guard let point else { return .integer(isNegative ? -digits : digits) }
            let real = NumberText.exact(digits, fractionDigits: index - point - 1)
            return .real(isNegative ? -real : real)
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        guard point == nil, !hasExponent else { return .real(Double(text) ?? .nan) }
        return Int(text).map(Number.integer) ?? .largeInteger(text)
    }

    private func digits(_ range: Range<Int>, but point: Int?) -> Int {
        var digits = 0
        for place in range where place != point { digits = digits * 10 + Int(bytes[place] - UInt8(ascii: "0")) }
        return digits
    }

    private mutating func skipDigits() {
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    // MARK: Texts

    mutating func string() throws(DocumentError) -> String {
        index += 1
        let start = index
        skipPlainText()
        guard index < bytes.count else { throw error("a string does not end") }
        if bytes[index] == UInt8(ascii: "\"") {
            let text = try text(bytes.span.extracting(start..<index))
            index += 1
            return text
        }
        var buffer = Array(bytes[start..<index])
        while true {
            let plain = index
            skipPlainText()
            // What needs no escape is taken at once.
            if index > plain { buffer += bytes[plain..<index] }
            guard index < bytes.count else { throw error("a string does not end") }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return try text(buffer.span)
            case UInt8(ascii: "\\"): try escape(into: &buffer)
            default: throw error("a string holds a control character; write it as \\n, \\t or \\u00..")
            }
        }
    }

    private mutating func skipPlainText() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), ..<0x20: return
            default: index += 1
            }
        }
    }

    private func text(_ bytes: Span<UInt8>) throws(DocumentError) -> String {
        guard let text = try? UTF8Span(validating: bytes) else { throw error("a string is not UTF-8") }
        return String(copying: text)
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

    func isNext(_ character: Unicode.Scalar) -> Bool {
        index < bytes.count && bytes[index] == UInt8(ascii: character)
    }

    var isNextNumber: Bool { index < bytes.count && (isDigit(bytes[index]) || isNext("-")) }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x0a, 0x0d, 0x09: index += 1
            default: return
            }
        }
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
