import CSystemSeam

/// The Swift tasks of a run: whose they are, where they came from, what they sleep on.
///
/// The runtime tells no executor when a task ends. A task enters the table when its first job is enqueued, is kept
/// alive by the table, and leaves it when it is found complete: after each of its jobs, and in a sweep whenever the
/// table has doubled, for tasks that ended inside an actor's job.
@safe
struct TaskTable: ~Copyable {
    struct Record {
        /// The task, retained; nil while the record is free.
        var task: Job?
        /// What would let the task of a crashed host go on; kept until the run's end.
        var buried: Buried = .nothing
        /// The event that ends the task's sleep, while it sleeps.
        var sleep: ScheduledEvent?
        /// The n-th task of the run.
        var number: UInt64
        var priority: UInt64
        var incarnation: UInt32
        var nextFree: UInt32 = .max
        /// Where it was created: return addresses, innermost first, 0 where there is none.
        var origin: InlineArray<8, UInt> = .init(repeating: 0)

        var originAddresses: [UInt] { origin.indices.map { origin[$0] } }
    }

    /// How a task of a crashed host would have gone on.
    enum Buried {
        case nothing
        /// Its own job.
        case job(Job)
        /// The job that ends its `Task.sleep`.
        case wake(Job)
        /// The continuation of its sleep on the virtual clock.
        case continuation(UInt64)
    }

    private var records: UnsafeMutablePointer<Record>
    private var capacity: Int = 64
    private var used: Int = 0
    private var free: UInt32 = .max
    private var sweepAt: Int = 1024
    /// Tasks in the table.
    private(set) var count: Int = 0
    /// Tasks that were ever in it.
    private(set) var total: UInt64 = 0

    init() {
        unsafe records = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<used {
            unsafe records[index].task?.release()
        }
        unsafe records.deallocate()
    }

    /// The indices of all records, free ones included.
    var indices: Range<UInt32> { 0..<UInt32(used) }

    subscript(index: UInt32) -> Record {
        unsafeAddress { unsafe UnsafePointer(records + Int(index)) }
        unsafeMutableAddress { unsafe records + Int(index) }
    }

    /// Adds a task that was seen for the first time, and returns its index.
    mutating func add(
        _ task: Job, incarnation: UInt32, priority: UInt64, recordsOrigin: Bool
    ) -> UInt32 {
        if count >= sweepAt { sweep() }
        let index = takeIndex()
        task.retain()
        count += 1
        total += 1
        let record = unsafe records + Int(index)
        unsafe record.initialize(
            to: Record(task: task, sleep: nil, number: total, priority: priority, incarnation: incarnation))
        if recordsOrigin {
            unsafe withUnsafeMutableBytes(of: &record.pointee.origin) { bytes in
                _ = unsafe seam_task_origin(bytes.assumingMemoryBound(to: UInt.self).baseAddress.unsafelyUnwrapped, 8)
            }
        }
        return index
    }

    /// Removes a task if it is complete.
    @inline(__always)
    mutating func removeIfComplete(_ index: UInt32) {
        if let task = unsafe records[Int(index)].task, task.isComplete { remove(index, task) }
    }

    /// Removes all tasks that are complete.
    mutating func sweep() {
        for index in indices { removeIfComplete(index) }
        sweepAt = max(1024, 2 * count)
    }

    private mutating func remove(_ index: UInt32, _ task: Job) {
        let record = unsafe records + Int(index)
        unsafe record.pointee.task = nil
        unsafe record.pointee.nextFree = free
        free = index
        count -= 1
        task.release()
    }

    private mutating func takeIndex() -> UInt32 {
        if free != .max {
            let index = free
            free = unsafe records[Int(index)].nextFree
            return index
        }
        if used == capacity {
            let larger = UnsafeMutablePointer<Record>.allocate(capacity: 2 * capacity)
            unsafe larger.moveInitialize(from: records, count: used)
            unsafe records.deallocate()
            unsafe records = larger
            capacity *= 2
        }
        used += 1
        return UInt32(used - 1)
    }
}
