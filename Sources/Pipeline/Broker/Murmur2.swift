/// Austin Appleby's MurmurHash2 of 32 bits, with the seed by which Kafka's producers choose partitions: each bit of a key moves about half of the
/// bits of its hash, short keys that differ in their last letter too.
enum Murmur2 {
    private static let seed: UInt32 = 0x9747_b28c
    private static let multiplier: UInt32 = 0x5bd1_e995

    /// The hash of bytes.
    static func hash(_ bytes: some Collection<UInt8>) -> UInt32 {
        var hash = seed ^ UInt32(truncatingIfNeeded: bytes.count)
        var word: UInt32 = 0
        var filled: UInt32 = 0
        for byte in bytes {
            word |= UInt32(byte) << (8 * filled)
            filled += 1
            guard filled == 4 else { continue }
            word &*= multiplier
            word ^= word >> 24
            hash = (hash &* multiplier) ^ (word &* multiplier)
            (word, filled) = (0, 0)
        }
        if filled > 0 { hash = (hash ^ word) &* multiplier }
        hash = (hash ^ (hash >> 13)) &* multiplier
        return hash ^ (hash >> 15)
    }
}
