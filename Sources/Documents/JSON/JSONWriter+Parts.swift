extension JSONWriter {
    /// Writes an object whose members the body writes.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        separate()
        put("{" as Unicode.Scalar)
        body(&self)
        put("}" as Unicode.Scalar)
    }

    /// Writes an array of what the body writes for each element.
    package mutating func array<Element>(
        _ elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void
    ) {
        separate()
        put("[" as Unicode.Scalar)
        for element in elements { body(&self, element) }
        put("]" as Unicode.Scalar)
    }

    /// Writes a member's name; its value comes next.
    package mutating func name(_ name: String) {
        separate()
        writeString(name)
        put(":" as Unicode.Scalar)
    }

    /// Writes a member.
    package mutating func member(_ name: String, _ value: String) {
        self.name(name)
        writeString(value)
    }

    /// Writes a member.
    package mutating func member(_ name: String, _ value: Int) {
        self.name(name)
        if value < 0 { put("-" as Unicode.Scalar) }
        put(UInt64(value.magnitude))
    }

    /// Writes a member.
    package mutating func member(_ name: String, _ value: Double) {
        self.name(name)
        put(value)
    }

    /// Writes a member.
    package mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        put(value ? "true" : "false")
    }

    /// Writes a member that is null where there is no number.
    package mutating func member(_ name: String, _ value: Int64?) {
        if let value { return member(name, Int(value)) }
        self.name(name)
        put("null")
    }

    /// Puts a comma behind what stands before in the same object or array.
    private mutating func separate() {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): break
        default: put("," as Unicode.Scalar)
        }
    }
}
