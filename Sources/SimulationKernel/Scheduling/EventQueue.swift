/// What happens later: events ordered by (instant, order of scheduling), without a tick and without a scan.
///
/// A radix queue over the bits of the instant, six bits a level: an event lies in the level of the highest digit in
/// which its instant differs from the last one that was reached, in the slot of that digit's value. The earliest
/// event is in the first slot of the lowest level that holds any; a slot is spread over the levels below only when
/// its time comes, so each event moves a few times in its life, whatever their number.
///
/// Equal instants always share a slot and slots keep the order of arrival, which is the second half of the key.
/// Slots hold 16-byte entries in arrays, because moving them must not touch the events themselves: with a million
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
        /// The sleeping task's index in the task table, or `noTask`.
        var task: UInt32
        var generation: UInt32
        var incarnation: UInt32
        var kind: Kind
    }

    struct Entry {
        var instant: UInt64
        var index: UInt32
        var generation: UInt32
    }

    @safe
    private struct Slot {
        var entries: UnsafeMutablePointer<Entry>?
        var count: Int32
        var capacity: Int32
    }

    static let noTask: UInt32 = .max
    private static let levelCount: Int = 11
    private static let slotsPerLevel: Int = 64

    private let slots: UnsafeMutablePointer<Slot>
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

    init() {
        let slotCount = Self.levelCount * Self.slotsPerLevel
        unsafe slots = .allocate(capacity: slotCount)
        unsafe slots.initialize(repeating: Slot(entries: nil, count: 0, capacity: 0), count: slotCount)
        unsafe occupied = .allocate(capacity: Self.levelCount)
        unsafe occupied.initialize(repeating: 0, count: Self.levelCount)
        capacity = 64
        unsafe events = .allocate(capacity: capacity)
    }

    deinit {
        for slot in 0..<Self.levelCount * Self.slotsPerLevel { unsafe slots[slot].entries?.deallocate() }
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
        let index = takeEvent()
        let event = unsafe events + Int(index)
        unsafe event.pointee.action = action
        unsafe event.pointee.argument = argument
        unsafe event.pointee.task = task
        unsafe event.pointee.incarnation = incarnation
        unsafe event.pointee.kind = kind
        let generation = unsafe event.pointee.generation
        insert(Entry(instant: instant, index: index, generation: generation))
        entryCount += 1
        count += 1
        return ScheduledEvent(index: index, generation: generation)
    }

    /// Removes an event that has not happened, and frees it at once.
    ///
    /// Its entry stays in the slot until time or a sweep gets there; a sweep runs when such entries are the majority.
    mutating func cancel(_ handle: ScheduledEvent) -> Bool {
        guard isPending(handle) else { return false }
        release(handle.index)
        if entryCount > 1024, entryCount > 2 * count { sweep() }
        return true
    }

    func isPending(_ handle: ScheduledEvent) -> Bool {
        unsafe handle.index < UInt32(used) && events[Int(handle.index)].generation == handle.generation
    }

    // MARK: Taking

    /// Moves all entries of the earliest instant to `ready`, in their order; returns the instant, or nil when none is left.
    ///
    /// The events themselves stay until they are taken.
    mutating func advance(from now: UInt64, to ready: inout ReadyQueue) -> UInt64? {
        while occupiedLevels != 0 {
            let level = occupiedLevels.trailingZeroBitCount
            let digit = unsafe occupied[level].trailingZeroBitCount
            let slot = unsafe slots + (level * Self.slotsPerLevel + digit)
            let entries = unsafe slot.pointee.entries.unsafelyUnwrapped
            if unsafe level == 0 || slot.pointee.count == 1 {
                let instant = unsafe entries[0].instant
                let entryCount = unsafe Int(slot.pointee.count)
                clear(level: level, digit: digit)
                self.entryCount -= entryCount
                var live = false
                for position in 0..<entryCount {
                    let entry = unsafe entries[position]
                    let event = unsafe events + Int(entry.index)
                    guard unsafe event.pointee.generation == entry.generation else { continue }
                    live = true
                    ready.append(
                        ReadyItem(
                            event: entry.index, generation: entry.generation,
                            incarnation: unsafe event.pointee.incarnation))
                }
                guard live else { continue }
                reached = instant
                return instant
            }
            unsafe spread(slot: slot, level: level, digit: digit)
        }
        // Cancelled events may have led beyond the present.
        reached = now
        return nil
    }

    /// The event behind a ready item, freed; nil when it was cancelled meanwhile.
    mutating func take(_ handle: ScheduledEvent) -> Event? {
        guard isPending(handle) else { return nil }
        let event = unsafe events[Int(handle.index)]
        release(handle.index)
        return event
    }

    // MARK: Slots

    /// Spreads a slot over the levels below it, relative to its earliest instant.
    private mutating func spread(slot: UnsafeMutablePointer<Slot>, level: Int, digit: Int) {
        let entries = unsafe slot.pointee.entries.unsafelyUnwrapped
        let count = unsafe Int(slot.pointee.count)
        let capacity = unsafe slot.pointee.capacity
        // Detached while it is spread; all entries go to lower levels.
        unsafe slot.pointee = Slot(entries: nil, count: 0, capacity: 0)
        clear(level: level, digit: digit)
        var earliest = UInt64.max
        for position in 0..<count { earliest = min(earliest, unsafe entries[position].instant) }
        reached = earliest
        for position in 0..<count { unsafe insert(entries[position]) }
        // A small array is kept for the slot's next turn.
        if unsafe capacity <= 256 && slot.pointee.entries == nil {
            unsafe slot.pointee = Slot(entries: entries, count: 0, capacity: capacity)
        } else {
            unsafe entries.deallocate()
        }
    }

    @inline(__always)
    private mutating func insert(_ entry: Entry) {
        let difference = entry.instant ^ reached
        let level = difference == 0 ? 0 : (63 - difference.leadingZeroBitCount) / 6
        let digit = Int(truncatingIfNeeded: entry.instant >> UInt64(6 * level)) & 63
        let slot = unsafe slots + (level * Self.slotsPerLevel + digit)
        let count = unsafe slot.pointee.count
        if unsafe count == slot.pointee.capacity { unsafe grow(slot) }
        unsafe slot.pointee.entries.unsafelyUnwrapped[Int(count)] = entry
        unsafe slot.pointee.count = count + 1
        unsafe occupied[level] |= 1 << UInt64(digit)
        occupiedLevels |= 1 << UInt32(level)
    }

    private func grow(_ slot: UnsafeMutablePointer<Slot>) {
        let count = unsafe Int(slot.pointee.count)
        let capacity = max(4, 2 * count)
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        if let old = unsafe slot.pointee.entries {
            unsafe entries.moveInitialize(from: old, count: count)
            unsafe old.deallocate()
        }
        unsafe slot.pointee.entries = entries
        unsafe slot.pointee.capacity = Int32(capacity)
    }

    @inline(__always)
    private mutating func clear(level: Int, digit: Int) {
        unsafe slots[level * Self.slotsPerLevel + digit].count = 0
        unsafe occupied[level] &= ~(1 << UInt64(digit))
        if unsafe occupied[level] == 0 { occupiedLevels &= ~(1 << UInt32(level)) }
    }

    /// Drops the entries of cancelled events from all slots.
    private mutating func sweep() {
        for level in 0..<Self.levelCount {
            for digit in 0..<Self.slotsPerLevel {
                let slot = unsafe slots + (level * Self.slotsPerLevel + digit)
                guard unsafe slot.pointee.count > 0, let entries = unsafe slot.pointee.entries else { continue }
                var kept = 0
                for position in unsafe 0..<Int(slot.pointee.count) {
                    let entry = unsafe entries[position]
                    guard unsafe events[Int(entry.index)].generation == entry.generation else { continue }
                    unsafe entries[kept] = entry
                    kept += 1
                }
                entryCount -= unsafe Int(slot.pointee.count) - kept
                if kept == 0 { clear(level: level, digit: digit) }
                unsafe slot.pointee.count = Int32(kept)
            }
        }
    }

    // MARK: Events

    private mutating func takeEvent() -> UInt32 {
        if free != .max {
            let index = free
            free = unsafe events[Int(index)].task
            return index
        }
        if used == capacity {
            let larger = UnsafeMutablePointer<Event>.allocate(capacity: 2 * capacity)
            unsafe larger.moveInitialize(from: events, count: used)
            unsafe events.deallocate()
            unsafe events = larger
            capacity *= 2
        }
        unsafe (events + used).initialize(
            to: Event(
                action: nil, argument: 0, task: Self.noTask, generation: 0, incarnation: 0, kind: .action))
        used += 1
        return UInt32(used - 1)
    }

    /// Makes an event's memory free for the next; its generation tells old handles.
    private mutating func release(_ index: UInt32) {
        let event = unsafe events + Int(index)
        unsafe event.pointee.action = nil
        unsafe event.pointee.generation &+= 1
        unsafe event.pointee.task = free
        free = index
        count -= 1
    }
}

/// Names one scheduled event, to cancel it; stays valid, and inert, after the event has happened.
public struct ScheduledEvent: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32
}
