import Durations
public import NIOCore
import Randomness

/// What travels through a chain of toxics.
public enum ToxicItem: Hashable, Sendable {
    /// Bytes that were sent together.
    case data(ByteBuffer)
    /// The sender will send no more.
    case end
    /// Both sides of the connection are to be closed, with an end of stream.
    case close
    /// Both sides of the connection are to be reset.
    case reset
}

/// One toxic at work on one direction of one connection: what it holds, and when that leaves.
///
/// Time comes with each call, randomness is a stream of its own: the stage reads no clock and touches no socket.
struct ToxicStage: Sendable {
    /// An item that came at `received` and leaves at `release`.
    struct Held: Sendable {
        var item: ToxicItem
        let received: UInt64
        var release: UInt64
    }

    private(set) var toxic: Toxic
    private var random: RandomStream
    /// Drawn once for the connection, compared with the toxicity in force.
    private let share: UInt64
    private(set) var held: CircularBuffer<Held> = CircularBuffer(initialCapacity: 2)
    /// Bytes in what it holds.
    private(set) var heldBytes: Int = 0
    private var lastRelease: UInt64
    /// When the stage is free for the next item; slicing pauses behind the last piece, too.
    private var freeAt: UInt64
    /// When a timeout or reset is due.
    private(set) var deadline: UInt64?
    /// What happens at the deadline.
    private var deadlineItem: ToxicItem = .close
    private var passedBytes: UInt64 = 0
    private var hasEnded: Bool = false
    private var lostPrevious: Bool = false

    private static let never: UInt64 = .max

    init(_ toxic: Toxic, random: RandomStream, now: UInt64) {
        self.toxic = toxic
        self.random = random
        share = self.random.next()
        lastRelease = now
        freeAt = now
        startTimeout(now)
    }

    /// Whether the toxic acts on this connection.
    private var isActive: Bool {
        let (high, low) = toxic.toxicity.numerator.multipliedFullWidth(by: .max)
        guard high < toxic.toxicity.denominator else { return true }
        return share <= toxic.toxicity.denominator.dividingFullWidth((high, low)).quotient && toxic.toxicity != .zero
    }

    private var kind: Toxic.Kind { isActive ? toxic.kind : .noop }

    // MARK: Items

    mutating func receive(_ item: ToxicItem, at now: UInt64) {
        guard !hasEnded else { return }
        switch (item, kind) {
        case (.close, _), (.reset, _): endWith(item, at: max(now, lastRelease))
        case (.data, .timeout(let limit)):
            if limit > .zero, deadlineItem == .close { deadline = now &+ limit.unsignedNanoseconds }
        case (.data, .resetPeer(let delay)), (.end, .resetPeer(let delay)):
            if deadline == nil || deadlineItem == .close {
                deadline = now &+ delay.unsignedNanoseconds
                deadlineItem = .reset
            }
        case (.end, .timeout):
            // It passes, and there is nothing left to time.
            deadline = nil
            hold(item, received: now)
        case (.data(let buffer), .limitData(let limit)): pass(buffer, upTo: limit, now)
        case (.data, .packetLoss(let rate, let correlation)):
            // Behind a lost piece the two add up.
            let base = UInt128(rate.numerator) * UInt128(correlation.denominator)
            let more = lostPrevious ? UInt128(correlation.numerator) * UInt128(rate.denominator) : 0
            let whole = UInt128(rate.denominator) * UInt128(correlation.denominator)
            lostPrevious = UInt128(random.next()) * whole < (base + more) << 64
            if !lostPrevious { hold(item, received: now) }
        case (.data, _), (.end, _): hold(item, received: now)
        }
    }

    private mutating func pass(_ buffer: ByteBuffer, upTo limit: UInt64, _ now: UInt64) {
        let left = limit > passedBytes ? limit - passedBytes : 0
        let count = min(UInt64(buffer.readableBytes), left)
        passedBytes += count
        if count > 0 {
            var buffer = buffer
            if let slice = buffer.readSlice(length: Int(count)) { hold(.data(slice), received: now) }
        }
        if passedBytes >= limit { endWith(.close, at: max(now, lastRelease)) }
    }

    private mutating func endWith(_ item: ToxicItem, at time: UInt64) {
        hasEnded = true
        deadline = nil
        held.append(Held(item: item, received: time, release: time))
        lastRelease = max(lastRelease, time)
    }

    /// Plans when an item leaves, in pieces where the toxic cuts it.
    private mutating func hold(_ item: ToxicItem, received: UInt64) {
        let begin = max(received, freeAt)
        switch (item, kind) {
        case (.data, .latency(let latency, let jitter)):
            var release = received &+ latency.unsignedNanoseconds
            if jitter.unsignedNanoseconds > 0 {
                // Uniform in -jitter ..< jitter, to the nanosecond; never before it came.
                let drawn = random.next(below: 2 * jitter.unsignedNanoseconds)
                release = release &+ drawn
                release = release > jitter.unsignedNanoseconds ? release - jitter.unsignedNanoseconds : 0
            }
            append(item, received, max(release, received))
        case (.data(let buffer), .bandwidth(let rate)):
            throttle(buffer, received, begin, rate)
        case (.end, .bandwidth(let rate)) where rate == 0:
            append(item, received, Self.never)
        case (.data(let buffer), .slicer(let size, let variation, let delay)):
            var time = begin
            for piece in slices(buffer, size, variation) {
                append(.data(piece), received, time)
                time = time &+ delay.unsignedNanoseconds
            }
            freeAt = time
        case (.end, .slowClose(let delay)): append(item, received, received &+ delay.unsignedNanoseconds)
        default: append(item, received, received)
        }
    }

    private mutating func append(_ item: ToxicItem, _ received: UInt64, _ release: UInt64) {
        lastRelease = max(lastRelease, release)
        held.append(Held(item: item, received: received, release: lastRelease))
        if case .data(let buffer) = item { heldBytes += buffer.readableBytes }
        freeAt = max(freeAt, lastRelease == Self.never ? freeAt : lastRelease)
    }

    private mutating func throttle(_ buffer: ByteBuffer, _ received: UInt64, _ begin: UInt64, _ rate: UInt64) {
        guard rate > 0 else { return append(.data(buffer), received, Self.never) }
        var rest = buffer
        var time = begin
        let tenth = Int(clamping: max(1, rate / 10))
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(tenth, rest.readableBytes)) {
            time = time &+ UInt64(piece.readableBytes) * 1_000_000_000 / rate
            append(.data(piece), received, time)
        }
    }

    /// Halves the bytes until each piece is near the average size.
    private mutating func slices(_ buffer: ByteBuffer, _ size: Int, _ variation: Int) -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        var open: [(start: Int, end: Int)] = [(0, buffer.readableBytes)]
        while let (start, end) = open.popLast() {
            if end - start - size <= variation {
                if let piece = buffer.getSlice(at: buffer.readerIndex + start, length: end - start) {
                    pieces.append(piece)
                }
                continue
            }
            var middle = start + (end - start) / 2
            if variation > 0 { middle += random.index(below: 2 * variation) - variation }
            middle = min(max(middle, start + 1), end - 1)
            open.append((middle, end))
            open.append((start, middle))
        }
        return pieces
    }

    // MARK: Time

    /// When something happens next by itself.
    var nextWake: UInt64? {
        let first = held.first.flatMap { $0.release == Self.never ? nil : $0.release }
        switch (first, deadline) {
        case (let first?, let deadline?): return min(first, deadline)
        case (let first, let deadline): return first ?? deadline
        }
    }

    /// The next item that has left by `now`, with the time at which it did.
    mutating func take(at now: UInt64) -> (item: ToxicItem, time: UInt64)? {
        if let due = deadline, due <= now {
            endWith(deadlineItem, at: due)
        }
        guard let first = held.first, first.release <= now else { return nil }
        held.removeFirst()
        if case .data(let buffer) = first.item { heldBytes -= buffer.readableBytes }
        return (first.item, first.release)
    }

    private mutating func startTimeout(_ now: UInt64) {
        if case .timeout(let limit) = kind, limit > .zero { deadline = now &+ limit.unsignedNanoseconds }
    }

    // MARK: Changes while it works

    /// Changes what it does: what it holds is planned anew from when it came; what was about to leave leaves.
    mutating func update(to toxic: Toxic, now: UInt64) {
        let waiting = held
        self.toxic = toxic
        held.removeAll()
        heldBytes = 0
        // A reset that has begun is not taken back: it has swallowed data.
        if deadlineItem == .close { deadline = nil }
        lastRelease = now
        freeAt = now
        startTimeout(now)
        var isFirst = true
        for entry in waiting {
            switch entry.item {
            case .close, .reset: held.append(Held(item: entry.item, received: entry.received, release: now))
            case .data where isFirst && entry.received < now:
                append(entry.item, entry.received, now)
            case .data, .end: hold(entry.item, received: entry.received)
            }
            isFirst = false
        }
    }

    /// Lets everything go, in order; a timeout closes the connection.
    mutating func dissolve(at now: UInt64) -> [ToxicItem] {
        var items = held.map(\.item)
        held.removeAll()
        heldBytes = 0
        if deadlineItem == .reset, deadline != nil {
            items.append(.reset)
        } else if case .timeout = kind, !hasEnded {
            items.append(.close)
        }
        return items
    }
}
