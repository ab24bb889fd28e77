/// SipHash-2-4 with a 128-bit result: how a label becomes the key of a stream.
///
/// A keyed hash, so that labels which look alike give unrelated streams. Source: Aumasson, Bernstein,
/// "SipHash: a fast short-input PRF", 2012, and the reference's 128-bit variant.
enum SipHash {
    static func hash(_ bytes: some Collection<UInt8>, key: StreamKey) -> StreamKey {
        var v0: UInt64 = 0x736f_6d65_7073_6575 ^ key.low
        var v1: UInt64 = 0x646f_7261_6e64_6f6d ^ key.high ^ 0xee
        var v2: UInt64 = 0x6c79_6765_6e65_7261 ^ key.low
        var v3: UInt64 = 0x7465_6462_7974_6573 ^ key.high

        func round() {
            v0 &+= v1
            v2 &+= v3
            v1 = rotate(v1, 13) ^ v0
            v3 = rotate(v3, 16) ^ v2
            v0 = rotate(v0, 32)
            v2 &+= v1
            v0 &+= v3
            v1 = rotate(v1, 17) ^ v2
            v3 = rotate(v3, 21) ^ v0
            v2 = rotate(v2, 32)
        }
        func absorb(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        var word: UInt64 = 0
        var filled: UInt64 = 0
        for byte in bytes {
            word |= UInt64(byte) << (8 * filled)
            filled += 1
            if filled == 8 {
                absorb(word)
                word = 0
                filled = 0
            }
        }
        absorb(word | UInt64(truncatingIfNeeded: bytes.count) << 56)

        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return StreamKey(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }

    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
        (value << count) | (value >> (64 - count))
    }
}

/// The identity of a stream: 128 bits that depend on the seed and the labels on the way to it, and on nothing else.
struct StreamKey: Hashable, Sendable {
    var low: UInt64
    var high: UInt64
}
