/// The hash FNV-1a of 64 bits.
///
/// Its upper bits hardly differ for short texts that differ in their last letter: who takes less than all of it mixes it first.
enum FNV1a {
    /// What a hash begins with.
    static let basis: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Folds a text's UTF-8 into a hash.
    static func hash(_ text: String, into hash: UInt64 = basis) -> UInt64 {
        text.utf8.reduce(hash) { hash, byte in (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}
