import Synchronization

/// Numbers of answers, twenty letters and digits each, in growing order as Toxiproxy's.
final class RequestIDs: Sendable {
    private let prefix: UInt64
    private let last: Atomic<UInt32> = Atomic(0)

    /// Makes numbers that begin with what distinguishes this process.
    init(prefix: UInt64) {
        self.prefix = prefix
    }

    /// The next number: twelve bytes, five bits for each character.
    func next() -> String {
        let (_, number) = last.wrappingAdd(1, ordering: .relaxed)
        var value = UInt128(prefix) << 32 | UInt128(number)
        let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)
        var text: [UInt8] = []
        // 96 bits in twenty characters: the last has one bit.
        value <<= 4
        for position in 0..<20 {
            text.append(digits[Int(truncatingIfNeeded: value >> UInt128(95 - 5 * position)) & 31])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
