/// What a run comes to: 128 bits that fold every decision, in order.
///
/// Two runs of one seed have equal digests, or something inside them is not deterministic. The fold is a
/// multiplication of full width per pair of words: quick, and no defence against somebody who wants a collision.
public struct TraceDigest: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The first half.
    public private(set) var high: UInt64 = 0x2d35_8dcc_aa6c_78a5
    /// The second half.
    public private(set) var low: UInt64 = 0x8bb8_4b93_962e_acc9

    /// The digest of nothing.
    public init() {}

    /// Folds two words.
    @inline(__always)
    mutating func fold(_ first: UInt64, _ second: UInt64) {
        let (upper, lower) = (first ^ high ^ 0x9e37_79b9_7f4a_7c15)
            .multipliedFullWidth(by: second ^ low ^ 0xd1b5_4a32_d192_ed03)
        // Adding the words keeps them even where a factor happens to be 0.
        high = (upper ^ lower) &+ first
        low = (low ^ lower) &* 0xff51_afd7_ed55_8ccd &+ second
    }

    /// Folds the bytes of a text.
    mutating func fold(_ text: String) {
        fold(Self.hash(text), UInt64(text.utf8.count))
    }

    /// FNV-1a of the text's UTF-8.
    static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    /// 32 hexadecimal digits.
    public var description: String {
        [high, low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }
}
