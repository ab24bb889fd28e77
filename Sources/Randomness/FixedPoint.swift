/// Logarithm, power and root in integers, so that draws are equal on every platform.
///
/// Values are signed numbers of units of 2^-32 ("Q32"). Logarithms are within 4 units of the exact value, powers within
/// 1 part in 10^9 (`exp2`) and 2 in 10^8 (`exp`).
enum FixedPoint {
    static let one: Int64 = 1 << 32
    /// ln 2 in units of 2^-64.
    private static let logarithmOfTwo: UInt64 = 0xb172_17f7_d1cf_79ab

    /// Binary logarithm of `mantissa / 2^64` in Q32, never above 0; `mantissa` must not be 0.
    static func log2(ofFraction mantissa: UInt64) -> Int64 {
        precondition(mantissa != 0, "the logarithm of 0")
        let zeros = Int64(mantissa.leadingZeroBitCount)
        // The mantissa in 1 ..< 2, in units of 2^-63; each squaring yields one bit of the logarithm.
        var value = mantissa << UInt64(zeros)
        var fraction: Int64 = 0
        for _ in 0..<32 {
            let (high, low) = value.multipliedFullWidth(by: value)
            fraction <<= 1
            if high >> 63 == 1 {
                fraction |= 1
                value = high
            } else {
                value = high << 1 | low >> 63
            }
        }
        return fraction - ((zeros + 1) << 32)
    }

    /// `2^exponent` in units of 2^-32, the exponent in Q32; `UInt64.max` when that is too large.
    static func exp2(_ exponent: Int64) -> UInt64 {
        let whole = exponent >> 32
        let fraction = UInt64(bitPattern: exponent) & 0xffff_ffff
        if whole >= 32 { return .max }
        if whole < -33 { return 0 }
        // 2^fraction in 1 ..< 2, in units of 2^-63: one factor for each bit of the fraction.
        var value: UInt64 = 1 << 63
        for bit in 0..<32 where fraction >> (31 - UInt64(bit)) & 1 == 1 {
            let (high, low) = value.multipliedFullWidth(by: roots[bit])
            value = high << 1 | low >> 63
        }
        return value >> UInt64(31 - whole)
    }

    /// The roots `2^(2^-(k+1))` for k from 0 to 31, in units of 2^-63.
    private static let roots: [UInt64] = {
        var roots: [UInt64] = []
        var value: UInt64 = 0xb504_f333_f9de_6484  // the square root of 2
        for _ in 0..<32 {
            roots.append(value)
            // In units of 2^-63, the root of v is isqrt(v * 2^63).
            value = squareRoot(high: value >> 1, low: value << 63)
        }
        return roots
    }()

    /// Natural logarithm of `mantissa / 2^64` in Q32, never above 0.
    static func naturalLog(ofFraction mantissa: UInt64) -> Int64 {
        let binary = UInt64(-log2(ofFraction: mantissa))
        return -Int64(binary.multipliedFullWidth(by: logarithmOfTwo).high)
    }

    /// `e^exponent` in units of 2^-32, the exponent in Q32; `UInt64.max` when that is too large.
    static func exp(_ exponent: Int64) -> UInt64 {
        // log2 e in units of 2^-62.
        let (high, low) = exponent.multipliedFullWidth(by: 0x5c55_1d94_ae0b_f85e)
        let binary = high << 2 | Int64(bitPattern: low >> 62)
        // Beyond this the product no longer fits, and the result is 0 or the largest long before.
        if exponent >= 23 << 32 { return .max }
        if exponent <= -(24 << 32) { return 0 }
        return exp2(binary)
    }

    /// The integer square root of a 128-bit number, rounded down.
    static func squareRoot(high: UInt64, low: UInt64) -> UInt64 {
        // Digit by digit: two bits of the number bring one of the root.
        var remainder: UInt128 = 0
        var root: UInt64 = 0
        let number = UInt128(high) << 64 | UInt128(low)
        for step in stride(from: 126, through: 0, by: -2) {
            remainder = remainder << 2 | (number >> UInt128(step)) & 3
            let trial = UInt128(root) << 2 | 1
            root <<= 1
            if remainder >= trial {
                remainder -= trial
                root |= 1
            }
        }
        return root
    }
}
