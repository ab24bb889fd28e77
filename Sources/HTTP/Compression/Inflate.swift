/// Why compressed bytes cannot be decompressed.
public enum InflateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes end before the data does.
    case truncated
    /// The bytes are not what the format says; the text says at what.
    case invalid(String)
    /// What comes out is longer than the caller takes.
    case tooLong(limit: Int)

    /// What is wrong.
    public var description: String {
        switch self {
        case .truncated: "the compressed body ends too early"
        case .invalid(let what): "the compressed body is damaged: \(what)"
        case .tooLong(let limit): "the compressed body comes to more than \(limit) bytes"
        }
    }
}

/// Decompresses DEFLATE, RFC 1951: blocks of literals and of repetitions of what came before, in Huffman codes.
struct Inflate {
    private let input: [UInt8]
    private let limit: Int
    /// The next byte that is read.
    private(set) var position: Int
    private var bits: UInt64 = 0
    private var bitCount: Int = 0
    private(set) var output: [UInt8] = []

    private static let lengthBases: [Int] = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits: [Int] = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    /// The order in which a block tells how long the codes of its code lengths are.
    private static let lengthOrder: [Int] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    /// Prepares for decompressing what begins at a place; what comes out is at most `limit` bytes long.
    init(_ input: [UInt8], at position: Int, limit: Int) {
        self.input = input
        self.position = position
        self.limit = limit
    }

    /// Decompresses up to the last block's end; then ``position`` is behind its last byte.
    mutating func run() throws(InflateError) {
        var isLast = false
        while !isLast {
            isLast = try take(1) == 1
            switch try take(2) {
            case 0: try copyStored()
            case 1: try decode(HuffmanCode.fixedLiterals, HuffmanCode.fixedDistances)
            case 2:
                let (literals, distances) = try readCodes()
                try decode(literals, distances)
            default: throw .invalid("a block of an unknown kind")
            }
        }
        // Whole bytes that were read ahead are given back.
        position -= bitCount / 8
        (bits, bitCount) = (0, 0)
    }

    // MARK: Bits

    private mutating func take(_ count: Int) throws(InflateError) -> Int {
        guard count > 0 else { return 0 }
        while bitCount < count { try refill() }
        defer { drop(count) }
        return Int(bits & (1 << UInt64(count) - 1))
    }

    private mutating func refill() throws(InflateError) {
        guard position < input.count else { throw .truncated }
        bits |= UInt64(input[position]) << UInt64(bitCount)
        position += 1
        bitCount += 8
    }

    private mutating func drop(_ count: Int) {
        bits >>= UInt64(count)
        bitCount -= count
    }

    private mutating func symbol(_ code: HuffmanCode) throws(InflateError) -> Int {
        var (prefix, first, index) = (0, 0, 0)
        for length in 1...HuffmanCode.lengthMax {
            if bitCount < length { try refill() }
            prefix = prefix << 1 | Int(bits >> UInt64(length - 1) & 1)
            let count = code.counts[length]
            if prefix - first < count {
                drop(length)
                return code.symbols[index + prefix - first]
            }
            index += count
            first = (first + count) << 1
        }
        throw .invalid("a code that no symbol has")
    }

    // MARK: Blocks

    private mutating func copyStored() throws(InflateError) {
        drop(bitCount % 8)
        let length = try take(16)
        guard try take(16) == ~length & 0xffff else { throw .invalid("the length of a stored block") }
        // What was read ahead are whole bytes of the block.
        position -= bitCount / 8
        (bits, bitCount) = (0, 0)
        guard length <= input.count - position else { throw .truncated }
        try append(input[position..<position + length])
        position += length
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws(InflateError) {
        guard output.count + bytes.count <= limit else { throw .tooLong(limit: limit) }
        output += bytes
    }

    private mutating func readCodes() throws(InflateError) -> (literals: HuffmanCode, distances: HuffmanCode) {
        let (literalCount, distanceCount) = (try take(5) + 257, try take(5) + 1)
        let lengthCount = try take(4) + 4
        guard literalCount <= 286 else { throw .invalid("more symbols than there are") }
        var lengths = [Int](repeating: 0, count: 19)
        for index in Self.lengthOrder[..<lengthCount] { lengths[index] = try take(3) }
        let code = try HuffmanCode(lengths[...], isWhole: true)
        lengths = []
        while lengths.count < literalCount + distanceCount {
            let symbol = try symbol(code)
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw .invalid("a repetition of nothing") }
                lengths += Array(repeating: last, count: 3 + (try take(2)))
            case 17: lengths += Array(repeating: 0, count: 3 + (try take(3)))
            case 18: lengths += Array(repeating: 0, count: 11 + (try take(7)))
            default: lengths.append(symbol)
            }
        }
        guard lengths.count == literalCount + distanceCount, lengths[256] > 0 else {
            throw .invalid("the lengths of a block's codes")
        }
        return (
            try HuffmanCode(lengths[..<literalCount], isWhole: false),
            try HuffmanCode(lengths[literalCount...], isWhole: false)
        )
    }

    private mutating func decode(_ literals: HuffmanCode, _ distances: HuffmanCode) throws(InflateError) {
        while true {
            let symbol = try symbol(literals)
            if symbol == 256 { return }
            if symbol < 256 {
                guard output.count < limit else { throw .tooLong(limit: limit) }
                output.append(UInt8(symbol))
                continue
            }
            guard symbol - 257 < Self.lengthBases.count else { throw .invalid("a length that there is not") }
            let length = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
            let code = try self.symbol(distances)
            guard code < 30 else { throw .invalid("a distance that there is not") }
            let extra = code < 2 ? 0 : code / 2 - 1
            let base = code < 2 ? code + 1 : (2 + code % 2) << extra + 1
            let distance = base + (try take(extra))
            guard distance <= output.count else { throw .invalid("a distance to before the beginning") }
            guard output.count + length <= limit else { throw .tooLong(limit: limit) }
            // One by one: what is copied may reach into itself.
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }
}

/// A Huffman code in its canonical form: how many codes have each length, and their symbols in order.
private struct HuffmanCode {
    static let lengthMax: Int = 15

    let counts: [Int]
    let symbols: [Int]

    static let fixedLiterals: HuffmanCode = HuffmanCode(
        trusted: Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112) + Array(repeating: 7, count: 24)
            + Array(repeating: 8, count: 8))
    static let fixedDistances: HuffmanCode = HuffmanCode(trusted: Array(repeating: 5, count: 30))

    /// Makes a code of its symbols' lengths; a code that is not `isWhole` may have a single symbol, or none.
    init(_ lengths: ArraySlice<Int>, isWhole: Bool) throws(InflateError) {
        self.init(trusted: Array(lengths))
        var left = 1
        for length in 1...Self.lengthMax {
            left = left << 1 - counts[length]
            guard left >= 0 else { throw .invalid("more codes than fit") }
        }
        guard left == 0 || !isWhole && symbols.count <= 1 else { throw .invalid("fewer codes than there must be") }
    }

    private init(trusted lengths: [Int]) {
        var counts = [Int](repeating: 0, count: Self.lengthMax + 1)
        for length in lengths where length > 0 { counts[length] += 1 }
        self.counts = counts
        symbols = (1...Self.lengthMax).flatMap { length in lengths.indices.filter { lengths[$0] == length } }
    }
}
