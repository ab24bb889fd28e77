/// How a response's body is compressed, by the name that its `Content-Encoding` gives.
public enum ContentCoding: String, Sendable {
    /// RFC 1952: members of DEFLATE, each with a checksum.
    case gzip
    /// RFC 1950, or DEFLATE alone, as servers differ.
    case deflate

    /// Decompresses a body.
    ///
    /// - Parameters:
    ///   - bytes: The compressed body.
    ///   - limit: How long the result may be.
    /// - Returns: The body.
    /// - Throws: ``InflateError``.
    public func decompress(_ bytes: [UInt8], limit: Int) throws(InflateError) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        switch self {
        case .gzip: return try Self.gunzip(bytes, limit)
        case .deflate: return try Self.inflate(bytes, limit)
        }
    }

    // MARK: gzip

    private static let magic: [UInt8] = [0x1f, 0x8b, 8]

    private static func gunzip(_ bytes: [UInt8], _ limit: Int) throws(InflateError) -> [UInt8] {
        var output: [UInt8] = []
        var position = 0
        // Members may follow each other; what follows them and is none is not looked at, as by Python's urllib3.
        repeat {
            position = try headerEnd(bytes, position)
            var inflate = Inflate(bytes, at: position, limit: limit - output.count)
            try inflate.run()
            position = inflate.position
            guard position + 8 <= bytes.count else { throw .truncated }
            let sums = (0..<2).map { part in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[position + part * 4 + $1]) << UInt32($1 * 8) }
            }
            guard sums[0] == crc32(inflate.output) else { throw .invalid("its checksum") }
            guard sums[1] == UInt32(truncatingIfNeeded: inflate.output.count) else { throw .invalid("its length") }
            output += inflate.output
            position += 8
        } while bytes[position...].starts(with: magic)
        return output
    }

    /// Where a member's header ends.
    private static func headerEnd(_ bytes: [UInt8], _ start: Int) throws(InflateError) -> Int {
        guard bytes.count >= start + 10 else { throw .truncated }
        guard bytes[start...].starts(with: magic) else { throw .invalid("it is not gzip") }
        let flags = bytes[start + 3]
        var position = start + 10
        if flags & 4 != 0 {
            guard position + 2 <= bytes.count else { throw .truncated }
            position += 2 + Int(bytes[position]) + Int(bytes[position + 1]) << 8
        }
        // A name and a comment, each with a zero behind it.
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else { throw .truncated }
            position = end + 1
        }
        return flags & 2 == 0 ? position : position + 2
    }

    private static let crcTable: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xedb8_8320 }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        let table = crcTable
        return ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    // MARK: deflate

    private static func inflate(_ bytes: [UInt8], _ limit: Int) throws(InflateError) -> [UInt8] {
        let header = bytes.count >= 2 ? Int(bytes[0]) << 8 | Int(bytes[1]) : 0
        guard bytes[0] & 0x0f == 8, header % 31 == 0, header & 0x20 == 0 else {
            var inflate = Inflate(bytes, at: 0, limit: limit)
            try inflate.run()
            return inflate.output
        }
        var inflate = Inflate(bytes, at: 2, limit: limit)
        try inflate.run()
        guard inflate.position + 4 <= bytes.count else { throw .truncated }
        let sum = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[inflate.position + $1]) }
        guard sum == adler32(inflate.output) else { throw .invalid("its checksum") }
        return inflate.output
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }
}
