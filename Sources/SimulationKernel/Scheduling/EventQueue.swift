import CSystemSeam

/// What happens later: events ordered by (instant, order of scheduling), without a tick and without a scan.
///
/// A radix queue over the bits of the instant, six bits a level: an event lies in the level of the highest digit in
/// which its instant differs from the last one that was reached, in the slot of that digit's value. The earliest
/// event is in the first slot of the lowest level that holds any; a slot is spread over the levels below only when
/// its time comes, so each event moves a few times in its life, whatever their number.
///
/// Equal instants always share a slot and slots keep the order of arrival, which is the second half of the key.
/// Slots hold 16-byte entries in chunks, because moving them must not touch the events themselves: with a million
/// pending, every touched event is a cache miss.
@safe
struct EventQueue: ~Copyable {
    /// What to do when an event's time has come.
    enum Kind: UInt8 {
        /// Call the action with the argument.
        case action
        /// Resume the continuation in `argument`: its task's sleep on the virtual clock is over.
        case resume
        /// Run the job in `argument`: it ends the `Task.sleep` of the task.
        case wake
    }

    struct Event {
        var action: ((UInt64) -> Void)?
        var argument: UInt64
        /// The sleeping task's index in the task table, or `noTask`; in a free event, the next free one.
        var task: UInt32
        var generation: UInt32
        var incarnation: UInt32
        var kind: Kind
    }

    static let noTask: UInt32 = .max
    private static let levelCount: Int = 11
    private static let slotsPerLevel: Int = 64

    private let slots: UnsafeMutablePointer<EntryList>
    private var chunks: EntryChunkPool = EntryChunkPool()
    /// One bit for each slot that holds entries, one word for each level.
    private let occupied: UnsafeMutablePointer<UInt64>
    private var occupiedLevels: UInt32 = 0
    /// The instant reached last; no entry is earlier.
    private var reached: UInt64 = 0

    private var events: UnsafeMutablePointer<Event>
    private var capacity: Int
    private var used: Int = 0
    private var free: UInt32 = .max
    /// Pending events.
    private(set) var count: Int = 0
    /// Entries in slots, those of cancelled events included.
    private var entryCount: Int = 0
    /// Entries that its memory has room for.
    var memoryInEntries: Int { chunks.capacity }

    init() {
        let slotCount = Self.levelCount * Self.slotsPerLevel
        unsafe slots = .allocate(capacity: slotCount)
        unsafe slots.initialize(repeating: EntryList(), count: slotCount)
        unsafe occupied = .allocate(capacity: Self.levelCount)
        unsafe occupied.initialize(repeating: 0, count: Self.levelCount)
        capacity = 64
        unsafe events = .allocate(capacity: capacity)
    }

    /// A queue without memory, for when nothing can be scheduled any more.
    init(closed: Void) {
        unsafe slots = .allocate(capacity: 0)
        unsafe occupied = .allocate(capacity: 0)
        capacity = 0
        unsafe events = .allocate(capacity: 0)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe occupied.deallocate()
        unsafe events.deinitialize(count: used)
        unsafe events.deallocate()
    }

    // MARK: Scheduling

    /// Adds an event; `instant` must not be before the one reached.
    mutating func schedule(
        at instant: UInt64,
        kind: Kind,
        action: ((UInt64) -> Void)?,
        argument: UInt64,
        task: UInt32,
        incarnation: UInt32
    ) -> ScheduledEvent {
        assert(instant >= reached, "an event at \(instant), before \(reached), which was reached")
        let index = takeEvent()
        let event = unsafe events + Int(index)
        unsafe event.pointee.action = action
        unsafe event.pointee.argument = argument
        unsafe event.pointee.task = task
        unsafe event.pointee.incarnation = incarnation
        unsafe event.pointee.kind = kind
        let generation = unsafe event.pointee.generation
        insert(EventEntry(instant: instant, index: index, generation: generation))
        entryCount += 1
        count += 1
        return ScheduledEvent(index: index, generation: generation)
    }

    /// Removes an event that has not happened, and frees it at once; nil when it has, or was removed before.
    ///
    /// Its entry stays in the slot until time or a sweep gets there; a sweep runs when such entries are the majority.
    /// What the event holds is in the result, so that it dies when the queue is in order again.
    mutating func remove(_ handle: ScheduledEvent) -> Event? {
        let event = take(handle)
        if entryCount > 1024, entryCount > 2 * count { sweep() }
        return event
    }

    /// Removes all events of the incarnations for which `isGone` answers true; what they hold is in the result, so that
    /// it dies when the queue is in order again.
    mutating func removeAll(of isGone: (UInt32) -> Bool) -> [Event] {
        sweep(removing: isGone)
    }

    /// Drops the entries of cancelled events.
    @inline(never)
    private mutating func sweep() {
        _ = sweep { _ in false }
    }

    @inline(__always)
    func isPending(_ handle: ScheduledEvent) -> Bool {
        unsafe handle.index < UInt32(used) && events[Int(handle.index)].generation == handle.generation
    }

    /// Whether an event is still to happen at the instant that was reached last.
    func hasPendingEvents(at now: UInt64) -> Bool {
        guard reached == now, unsafe occupied[0] >> (now & 63) & 1 == 1 else { return false }
        // Slots of the lowest level hold one instant each; some of its events may have been cancelled.
        var rest = unsafe slots[Int(now & 63)]
        while let (chunk, count) = rest.popFirst() {
            for position in 0..<count {
                let entry = chunk[position]
                if isPending(ScheduledEvent(index: entry.index, generation: entry.generation)) { return true }
            }
        }
        return false
    }

    // MARK: Taking

    /// Moves all entries of the earliest instant to `ready`, in their order; returns the instant, or nil when none is left.
    ///
    /// The events themselves stay until they are taken.
    mutating func advance(from now: UInt64, to ready: inout ReadyQueue) -> UInt64? {
        while occupiedLevels != 0 {
            let level = occupiedLevels.trailingZeroBitCount
            let digit = unsafe occupied[level].trailingZeroBitCount
            let list = detach(level: level, digit: digit)
            guard level == 0 || list.isSingle else {
                spread(list, level: level, digit: digit)
                continue
            }
            if let instant = take(list, to: &ready) {
                assert(instant >= now, "time runs back from \(now) to \(instant)")
                reached = instant
                return instant
            }
        }
        // Cancelled events may have led beyond the present.
        reached = now
        return nil
    }

    /// Moves the entries of one instant to `ready`; returns the instant, or nil when all were cancelled.
    @inline(__always)
    private mutating func take(_ list: EntryList, to ready: inout ReadyQueue) -> UInt64? {
        var instant: UInt64?
        var rest = list
        while let (chunk, count) = rest.popFirst() {
            for position in 0..<count {
                let entry = chunk[position]
                let event = unsafe events + Int(entry.index)
                guard unsafe event.pointee.generation == entry.generation else { continue }
                assert(instant == nil || instant == entry.instant, "a slot of the lowest level holds two instants")
                instant = entry.instant
                ready.append(
                    ReadyItem(
                        event: ScheduledEvent(index: entry.index, generation: entry.generation),
                        incarnation: unsafe event.pointee.incarnation))
            }
            entryCount -= count
            chunks.free(chunk)
            assert(entryCount >= 0, "more entries left the queue than came in")
        }
        return instant
    }

    /// The event behind a ready item, freed; nil when it was cancelled meanwhile.
    @inline(__always)
    mutating func take(_ handle: ScheduledEvent) -> Event? {
        isPending(handle) ? release(handle.index) : nil
    }

    // MARK: Slots

    /// Spreads a slot's entries over the levels below.
    private mutating func spread(_ list: EntryList, level: Int, digit: Int) {
        if let chunk = list.onlyChunk {
            // Few entries: relative to the earliest of them, they find their level at once.
            assert(list.lastCount > 0, "an occupied slot without entries")
            reached = (0..<list.lastCount).reduce(.max) { min($0, chunk[$1].instant) }
        } else {
            let shift = UInt64(6 * level)
            let above = shift + 6 < 64 ? (reached >> (shift + 6)) << (shift + 6) : 0
            reached = above | (UInt64(digit) << shift)
        }
        // They happen soon: with many pending, the events are still far from the processor.
        let happensSoon = list.onlyChunk != nil
        var rest = list
        while let (chunk, count) = rest.popFirst() {
            rest.first?.prefetch()
            for position in 0..<count {
                let entry = chunk[position]
                if happensSoon {
                    // An event may lie across two cache lines.
                    let event = unsafe UnsafeRawPointer(events + Int(entry.index))
                    unsafe seam_prefetch(event)
                    unsafe seam_prefetch(event + MemoryLayout<Event>.size - 1)
                }
                insert(entry)
            }
            chunks.free(chunk)
        }
    }

    @inline(__always)
    private mutating func insert(_ entry: EventEntry) {
        assert(entry.instant >= reached, "an entry for \(entry.instant) would never be reached")
        let difference = entry.instant ^ reached
        let level = difference == 0 ? 0 : (63 - difference.leadingZeroBitCount) / 6
        let digit = Int(truncatingIfNeeded: entry.instant >> UInt64(6 * level)) & 63
        let slot = unsafe slots + (level * Self.slotsPerLevel + digit)
        unsafe slot.pointee.append(entry, chunks: &chunks)
        unsafe occupied[level] |= 1 << UInt64(digit)
        occupiedLevels |= 1 << UInt32(level)
    }

    /// Takes all entries out of a slot.
    @inline(__always)
    private mutating func detach(level: Int, digit: Int) -> EntryList {
        let slot = unsafe slots + (level * Self.slotsPerLevel + digit)
        let list = unsafe slot.pointee
        assert(list.first != nil, "slot \(digit) of level \(level) is marked as occupied and is empty")
        unsafe slot.pointee = EntryList()
        unsafe occupied[level] &= ~(1 << UInt64(digit))
        if unsafe occupied[level] == 0 { occupiedLevels &= ~(1 << UInt32(level)) }
        return list
    }

    /// Drops the entries of cancelled events from all slots, and removes the events of incarnations that are gone.
    @inline(__always)
    private mutating func sweep(removing isGone: (UInt32) -> Bool) -> [Event] {
        var removed: [Event] = []
        for level in 0..<Self.levelCount {
            for digit in 0..<Self.slotsPerLevel where unsafe occupied[level] >> UInt64(digit) & 1 == 1 {
                var rest = detach(level: level, digit: digit)
                while let (chunk, count) = rest.popFirst() {
                    for position in 0..<count {
                        let entry = chunk[position]
                        guard isPending(ScheduledEvent(index: entry.index, generation: entry.generation)) else {
                            entryCount -= 1
                            continue
                        }
                        if unsafe isGone(events[Int(entry.index)].incarnation) {
                            removed.append(release(entry.index))
                            entryCount -= 1
                        } else {
                            // It goes back where it was: nothing that decides its slot has changed.
                            insert(entry)
                        }
                    }
                    chunks.free(chunk)
                }
            }
        }
        // Events whose time has come are in the ready queue, and have no entry here any more.
        assert(entryCount <= count, "after a sweep there are \(entryCount) entries for \(count) events")
        return removed
    }

    // MARK: Events

    @inline(__always)
    private mutating func takeEvent() -> UInt32 {
        if free != .max {
            let index = free
            free = unsafe events[Int(index)].task
            return index
        }
        if used == capacity { growEvents() }
        unsafe (events + used).initialize(
            to: Event(
                action: nil, argument: 0, task: Self.noTask, generation: 0, incarnation: 0, kind: .action))
        used += 1
        return UInt32(used - 1)
    }

    @inline(never)
    private mutating func growEvents() {
        let larger = UnsafeMutablePointer<Event>.allocate(capacity: 2 * capacity)
        unsafe larger.moveInitialize(from: events, count: used)
        unsafe events.deallocate()
        unsafe events = larger
        capacity *= 2
    }

    /// Makes an event's memory free for the next, and returns what was in it; its generation tells old handles.
    @inline(__always)
    private mutating func release(_ index: UInt32) -> Event {
        let place = unsafe events + Int(index)
        let event = unsafe place.pointee
        assert(count > 0, "more events were freed than scheduled")
        unsafe place.pointee.generation &+= 1
        unsafe place.pointee.task = free
        unsafe place.pointee.action = nil
        free = index
        count -= 1
        return event
    }
}

/// Names one scheduled event, to cancel it; stays valid, and inert, after the event has happened.
public struct ScheduledEvent: Hashable, Sendable {
    /// An event that never happens: what is scheduled when the run is over.
    static let never: ScheduledEvent = ScheduledEvent(index: .max, generation: 0)

    let index: UInt32
    let generation: UInt32
}
