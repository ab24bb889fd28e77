/// A hash of bytes, so that the trace tells two contents of equal length apart.
///
/// Eight bytes at a time, each folded by a multiplication of full width; fixed for all time, and no defence against
/// somebody who wants a collision.
public enum ContentDigest {
    private static let first: UInt64 = 0x2d35_8dcc_aa6c_78a5
    private static let second: UInt64 = 0x8bb8_4b93_962e_acc9

    /// The hash of some bytes; never 0.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = first ^ UInt64(bytes.count)
        var offset = 0
        if bytes.count >= 64 {
            // Four at once, which do not wait for each other: pages of databases come through here.
            var lanes = (hash, hash ^ second, hash &+ first, hash &+ second)
            while offset &+ 32 <= bytes.count {
                unsafe lanes.0 = mix(lanes.0 ^ word(bytes, offset), second)
                unsafe lanes.1 = mix(lanes.1 ^ word(bytes, offset &+ 8), first)
                unsafe lanes.2 = mix(lanes.2 ^ word(bytes, offset &+ 16), second)
                unsafe lanes.3 = mix(lanes.3 ^ word(bytes, offset &+ 24), first)
                offset &+= 32
            }
            hash = mix(mix(lanes.0 ^ lanes.1, first) ^ lanes.2, second) &+ lanes.3
        }
        while offset &+ 8 <= bytes.count {
            hash = unsafe mix(hash ^ word(bytes, offset), second)
            offset &+= 8
        }
        var rest: UInt64 = 0
        while offset < bytes.count {
            rest = rest << 8 | UInt64(unsafe bytes[offset])
            offset &+= 1
        }
        return mix(hash ^ rest, first) | 1
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    private static func mix(_ value: UInt64, _ factor: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: factor)
        // Adding the value keeps it even where the product forgets it.
        return (high ^ low) &+ value
    }
}
