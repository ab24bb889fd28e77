import Documents

/// JSON as Go's decoder takes it, whose words are part of Toxiproxy's answers.
///
/// It reads the first value and looks at nothing behind it. What is wrong is said as Go says it, because clients compare it.
struct GoJSON {
    private let bytes: [UInt8]
    private var index: Int = 0
    private var depth: Int = 0

    /// How deep lists and objects may lie in each other.
    private static let depthMax: Int = 400

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads the first value of a body.
    ///
    /// - Throws: ``GoJSONError`` with Go's words.
    static func read(_ bytes: [UInt8]) throws(GoJSONError) -> Value {
        var scanner = GoJSON(bytes)
        scanner.skipSpace()
        guard scanner.index < bytes.count else { throw GoJSONError("EOF") }
        let start = scanner.index
        try scanner.value()
        // Go replaces what is not UTF-8.
        let text = String(decoding: bytes[start..<scanner.index], as: UTF8.self)
        do {
            return try JSONReader.read(text.utf8)
        } catch {
            throw GoJSONError("\(error)")
        }
    }

    // MARK: Values

    private mutating func value() throws(GoJSONError) {
        switch try byte() {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        default: throw invalid("looking for beginning of value")
        }
    }

    private mutating func enter() throws(GoJSONError) {
        depth += 1
        guard depth <= Self.depthMax else { throw GoJSONError("exceeded max depth") }
        index += 1
        skipSpace()
    }

    private mutating func object() throws(GoJSONError) {
        try enter()
        if try take("}") { return depth -= 1 }
        while true {
            guard try byte() == UInt8(ascii: "\"") else {
                throw invalid("looking for beginning of object key string")
            }
            try string()
            skipSpace()
            guard try take(":") else { throw invalid("after object key") }
            skipSpace()
            try value()
            skipSpace()
            if try take("}") { return depth -= 1 }
            guard try take(",") else { throw invalid("after object key:value pair") }
            skipSpace()
        }
    }

    private mutating func array() throws(GoJSONError) {
        try enter()
        if try take("]") { return depth -= 1 }
        while true {
            try value()
            skipSpace()
            if try take("]") { return depth -= 1 }
            guard try take(",") else { throw invalid("after array element") }
            skipSpace()
        }
    }

    private mutating func word(_ word: String) throws(GoJSONError) {
        for expected in word.utf8 {
            guard try byte() == expected else {
                let character = Character(Unicode.Scalar(expected))
                throw invalid("in literal \(word) (expecting '\(character)')")
            }
            index += 1
        }
    }

    private mutating func string() throws(GoJSONError) {
        index += 1
        while true {
            switch try byte() {
            case UInt8(ascii: "\""): return index += 1
            case UInt8(ascii: "\\"):
                index += 1
                try escape()
            case ..<0x20: throw invalid("in string literal")
            default: index += 1
            }
        }
    }

    private mutating func escape() throws(GoJSONError) {
        switch try byte() {
        case UInt8(ascii: "u"):
            index += 1
            for _ in 0..<4 {
                guard Character(Unicode.Scalar(try byte())).isHexDigit else {
                    throw invalid("in \\u hexadecimal character escape")
                }
                index += 1
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 1
        default: throw invalid("in string escape code")
        }
    }

    private mutating func number() throws(GoJSONError) {
        if bytes[index] == UInt8(ascii: "-") { index += 1 }
        guard isDigit(try byte()) else { throw invalid("in numeric literal") }
        if bytes[index] == UInt8(ascii: "0") { index += 1 } else { skipDigits() }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard isDigit(try byte()) else { throw invalid("after decimal point in numeric literal") }
            skipDigits()
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(try byte()) { index += 1 }
            guard isDigit(try byte()) else { throw invalid("in exponent of numeric literal") }
            skipDigits()
        }
    }

    // MARK: Bytes

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private mutating func skipDigits() {
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[index]) { index += 1 }
    }

    private func byte() throws(GoJSONError) -> UInt8 {
        guard index < bytes.count else { throw GoJSONError("unexpected EOF") }
        return bytes[index]
    }

    private mutating func take(_ character: Unicode.Scalar) throws(GoJSONError) -> Bool {
        guard try byte() == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private func invalid(_ place: String) -> GoJSONError {
        let byte = bytes[index]
        let character =
            switch byte {
            case UInt8(ascii: "'"): "'\\''"
            case UInt8(ascii: "\""): "'\"'"
            case UInt8(ascii: "\n"): "'\\n'"
            case UInt8(ascii: "\r"): "'\\r'"
            case UInt8(ascii: "\t"): "'\\t'"
            case ..<0x20, 0x7f: "'\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))'"
            default: "'\(Character(Unicode.Scalar(byte)))'"
            }
        return GoJSONError("invalid character \(character) \(place)")
    }
}

/// What Go's decoder finds wrong.
struct GoJSONError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension GoJSON {
    /// A value as Go's encoder writes it: compact, with what HTML might misread as escapes.
    static func write(_ value: Value) -> String {
        var text = ""
        for scalar in JSONWriter.write(value).unicodeScalars {
            switch scalar {
            case "<": text += "\\u003c"
            case ">": text += "\\u003e"
            case "&": text += "\\u0026"
            case "\u{2028}": text += "\\u2028"
            case "\u{2029}": text += "\\u2029"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// A number as Go writes a `float32`: the shortest digits that give it back, and no fraction where there is none.
    static func number(_ number: Float) -> Value {
        if let whole = Int(exactly: number) { return .integer(whole) }
        return .real(Double(number.description) ?? Double(number))
    }
}
