extension JSONReader {
    /// Reads the next value if it is an object, and passes over it if it is something else.
    ///
    /// - Parameter body: Gets each member's name, and reads its value, all of it.
    /// - Returns: Whether it was an object.
    /// - Throws: ``DocumentError``.
    package mutating func readObject(
        _ body: (String, inout JSONReader) throws(DocumentError) -> Void
    ) throws(DocumentError) -> Bool {
        guard isNext("{") else { return try skip() }
        try forEachMember(body)
        return true
    }

    /// Reads the next value if it is an array, and passes over it if it is something else.
    ///
    /// - Parameter body: Reads an element, all of it.
    /// - Returns: Whether it was an array.
    /// - Throws: ``DocumentError``.
    package mutating func readArray(
        _ body: (inout JSONReader) throws(DocumentError) -> Void
    ) throws(DocumentError) -> Bool {
        guard isNext("[") else { return try skip() }
        try forEachElement(body)
        return true
    }

    /// Reads the next value; nil if it is not a string.
    package mutating func readString() throws(DocumentError) -> String? {
        isNext("\"") ? try string() : try value().string
    }

    /// Reads the next value; nil if it is not a whole number of 64 bits.
    package mutating func readInteger() throws(DocumentError) -> Int? {
        guard isNextNumber else { return try value().integer }
        return if case .integer(let integer) = try number() { integer } else { nil }
    }

    /// Reads the next value as a floating-point number; nil if it is no number.
    package mutating func readNumber() throws(DocumentError) -> Double? {
        guard isNextNumber else { return try value().number }
        return switch try number() {
        case .integer(let integer): Double(integer)
        case .largeInteger(let digits): Double(digits)
        case .real(let real): real
        }
    }

    /// Reads the next value; nil if it is no boolean.
    package mutating func readBool() throws(DocumentError) -> Bool? { try value().bool }

    /// Passes over the next value; always false.
    @discardableResult
    package mutating func skip() throws(DocumentError) -> Bool {
        _ = try value()
        return false
    }
}
