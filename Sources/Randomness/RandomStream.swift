/// A stream of random numbers, fixed for all time: equal seeds and labels give equal numbers on every platform.
///
/// The generator is xoshiro256** (Blackman, Vigna, 2018). Streams fork by label, and a fork depends on the
/// stream's identity alone, never on how much was drawn: adding a device or cutting a link shifts nobody else's draws.
///
/// Drawing through the standard library (`random(in:using:)`, `shuffled(using:)`) works but its algorithms may
/// change between releases; use the methods here where a result must stay the same.
public struct RandomStream: RandomNumberGenerator, Sendable {
    private let key: StreamKey
    /// Names the stream to the observer; 0 in streams whose draws nobody observes.
    @usableFromInline var observedID: UInt32 = 0
    @usableFromInline var s0: UInt64
    @usableFromInline var s1: UInt64
    @usableFromInline var s2: UInt64
    @usableFromInline var s3: UInt64

    /// The root of all streams of a seed.
    public init(seed: Seed) {
        self.init(key: SipHash.hash("windkanal".utf8, key: StreamKey(low: seed.value, high: 0)))
    }

    init(key: StreamKey) {
        var low = SplitMix64(state: key.low)
        var high = SplitMix64(state: key.high)
        self.init(key: key, state: (low.next(), low.next(), high.next(), high.next()))
    }

    init(key: StreamKey, state: (UInt64, UInt64, UInt64, UInt64)) {
        self.key = key
        (s0, s1, s2, s3) = state
        // All zeros is the one state that never leaves itself.
        if s0 | s1 | s2 | s3 == 0 { s0 = 1 }
    }

    /// A stream of its own for `label`, the same however much this one has drawn.
    public func fork(_ label: String) -> RandomStream {
        var stream = RandomStream(key: SipHash.hash(label.utf8, key: key))
        if observedID != 0 { stream.observedID = UInt32(truncatingIfNeeded: stream.key.low) | 1 }
        return stream
    }

    // MARK: Observation

    /// Told of each draw of an observed stream: the stream's number, and what was drawn.
    ///
    /// One for the process, set before the first simulation runs; it finds out by itself whose draw it is. Behind a pointer,
    /// because the check of exclusive access to a static variable costs as much as a draw.
    package nonisolated(unsafe) static let observer: UnsafeMutablePointer<@convention(c) (UInt32, UInt64) -> Void> = {
        let cell = UnsafeMutablePointer<@convention(c) (UInt32, UInt64) -> Void>.allocate(capacity: 1)
        unsafe cell.initialize(to: { _, _ in })
        return unsafe cell
    }()

    /// A stream with the same draws, of which, as of those of its forks, the observer is told.
    package var observed: RandomStream {
        var stream = self
        stream.observedID = UInt32(truncatingIfNeeded: key.low) | 1
        return stream
    }

    @usableFromInline @inline(never)
    func observe(_ value: UInt64) {
        unsafe Self.observer.pointee(observedID, value)
    }

    /// The next 64 random bits.
    @inlinable
    public mutating func next() -> UInt64 {
        let product = s1 &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = (s3 << 45) | (s3 >> 19)
        if observedID != 0 { observe(result) }
        return result
    }

    /// A number in `0 ..< bound`, each equally likely.
    ///
    /// By multiplication and rejection (Lemire, 2019): one draw almost always.
    ///
    /// - Precondition: `bound` is at least 1.
    @inlinable
    public mutating func next(below bound: UInt64) -> UInt64 {
        precondition(bound >= 1, "a draw below 0 has no result")
        var (high, low) = next().multipliedFullWidth(by: bound)
        if low < bound {
            let threshold = (0 &- bound) % bound
            while low < threshold { (high, low) = next().multipliedFullWidth(by: bound) }
        }
        return high
    }

    /// An index in `0 ..< count`, each equally likely.
    @inlinable
    public mutating func index(below count: Int) -> Int {
        Int(next(below: UInt64(count)))
    }

    /// True with the given probability; one draw whatever the probability is.
    ///
    /// - Precondition: The probability is at most 1.
    public mutating func chance(_ probability: Ratio) -> Bool {
        precondition(probability.numerator <= probability.denominator, "a probability above 1: \(probability)")
        return next(below: probability.denominator) < probability.numerator
    }

    /// The elements in random order (Fisher and Yates).
    public mutating func permuted<Element>(_ elements: [Element]) -> [Element] {
        var result = elements
        for last in stride(from: result.count - 1, to: 0, by: -1) {
            result.swapAt(last, index(below: last + 1))
        }
        return result
    }
}
