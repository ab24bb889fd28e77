import CSystemSeam

/// The Swift tasks of a run: whose they are, where they came from, what they sleep on.
///
/// The runtime tells no executor when a task ends. A task enters the table when its first job is enqueued, is kept
/// alive by the table, and leaves it when it is found complete: after each of its jobs, and in a sweep whenever the
/// table has doubled, for tasks that ended inside an actor's job.
///
/// The task of an `async let` lives in its parent's memory and cannot be kept alive. It leaves with its parent, and a
/// later one in the same memory takes its place; until then nobody looks at that memory.
@safe
struct TaskTable: ~Copyable {
    struct Record {
        /// The task; nil while the record is free.
        var task: Job?
        var isAsyncLet: Bool
        /// What would let the task of a crashed host go on; kept until it is made to end.
        var parked: Parked = .nothing
        /// The event that ends the task's sleep, while it sleeps.
        var sleep: ScheduledEvent?
        /// The n-th task of the run.
        var number: UInt64
        var priority: UInt64
        var incarnation: UInt32
        /// The first task of an `async let` of this task.
        var firstChild: UInt32 = none
        /// The next task of an `async let` of the same parent; in a free record, the next free one.
        var next: UInt32 = none
        /// The neighbours among the tasks of the same incarnation.
        var nextOfIncarnation: UInt32 = none
        var previousOfIncarnation: UInt32 = none
        /// Jobs that it was given to end after its host crashed.
        var unwindJobs: UInt32 = 0
        /// Where it was created: return addresses, innermost first, 0 where there is none.
        var origin: InlineArray<8, UInt> = .init(repeating: 0)

        var originAddresses: [UInt] { origin.indices.map { origin[$0] } }
    }

    /// How a task of a crashed host would have gone on.
    enum Parked {
        case nothing
        /// The task's own job.
        case job(Job, JobExecutor)
        /// The job that ends its `Task.sleep`.
        case wake(Job)
        /// The continuation of its sleep on the virtual clock.
        case continuation(UInt64)
    }

    /// The index of no record.
    static let none: UInt32 = .max

    private var records: UnsafeMutablePointer<Record>
    private var capacity: Int
    /// The first task of each incarnation.
    private var heads: [UInt32] = []
    private var used: Int = 0
    private var free: UInt32 = none
    private var sweepAt: Int = 1024
    /// Tasks in the table.
    private(set) var count: Int = 0
    /// Tasks that were ever in it.
    private(set) var total: UInt64 = 0

    init(capacity: Int = 64) {
        self.capacity = max(1, capacity)
        unsafe records = .allocate(capacity: self.capacity)
    }

    deinit {
        for index in 0..<used {
            if unsafe !records[index].isAsyncLet { unsafe records[index].task?.release() }
        }
        unsafe records.deallocate()
    }

    /// The indices of all records, free ones included.
    var indices: Range<UInt32> { 0..<UInt32(used) }

    subscript(index: UInt32) -> Record {
        unsafeAddress {
            assert(index < UInt32(used), "there is no task with the index \(index)")
            return unsafe UnsafePointer(records + Int(index))
        }
        unsafeMutableAddress {
            assert(index < UInt32(used), "there is no task with the index \(index)")
            return unsafe records + Int(index)
        }
    }

    /// Makes room for the tasks of one more incarnation.
    mutating func addIncarnation() {
        heads.append(Self.none)
    }

    /// The tasks of an incarnation that are in the table, the latest first.
    func tasks(of incarnation: UInt32) -> [UInt32] {
        var indices: [UInt32] = []
        var index = heads[Int(incarnation)]
        while index != Self.none {
            indices.append(index)
            index = self[index].nextOfIncarnation
        }
        return indices
    }

    /// Adds a task that was seen for the first time; `parent` is the index of the task that made it, or `none`.
    mutating func add(
        _ task: Job, parent: UInt32, incarnation: UInt32, priority: UInt64, recordsOrigin: Bool
    ) -> UInt32 {
        assert(incarnation < UInt32(heads.count), "a task of incarnation \(incarnation), which never began")
        if count >= sweepAt { sweep() }
        total += 1
        let isAsyncLet = task.isAsyncLet
        var index = Self.none
        var next = Self.none
        if isAsyncLet {
            index = child(of: parent, at: task)
            if index != Self.none {
                next = self[index].next
                unlink(index)
                // Its own children went with it.
                removeChildren(of: index)
            }
        } else {
            task.retain()
        }
        if index == Self.none {
            index = takeIndex()
            count += 1
            if isAsyncLet, parent != Self.none {
                next = self[parent].firstChild
                self[parent].firstChild = index
            }
        }
        let record = unsafe records + Int(index)
        unsafe record.initialize(
            to: Record(
                task: task, isAsyncLet: isAsyncLet, sleep: nil, number: total, priority: priority,
                incarnation: incarnation, next: next))
        link(index)
        if recordsOrigin {
            unsafe withUnsafeMutableBytes(of: &record.pointee.origin) { bytes in
                _ = unsafe seam_task_origin(bytes.assumingMemoryBound(to: UInt.self).baseAddress.unsafelyUnwrapped, 8)
            }
        }
        return index
    }

    /// Removes a task if it is complete, as far as that can be told.
    @inline(__always)
    mutating func removeIfComplete(_ index: UInt32) {
        if let task = self[index].task, !self[index].isAsyncLet, task.isComplete { remove(index) }
    }

    /// Removes all tasks that are complete.
    mutating func sweep() {
        // What a task's result holds may make tasks when it dies: that happens when the table is in order again.
        var ended: [Job] = []
        for index in indices {
            guard let task = self[index].task, !self[index].isAsyncLet, task.isComplete else { continue }
            task.retain()
            ended.append(task)
            remove(index)
        }
        assert(count <= used, "\(count) tasks in \(used) records")
        sweepAt = max(1024, 2 * count)
        for task in ended { task.release() }
    }

    /// The record of an earlier `async let` of `parent` in the same memory.
    private func child(of parent: UInt32, at task: Job) -> UInt32 {
        guard parent != Self.none else { return Self.none }
        var index = unsafe records[Int(parent)].firstChild
        while index != Self.none, unsafe records[Int(index)].task?.bits != task.bits {
            index = unsafe records[Int(index)].next
        }
        return index
    }

    /// Puts a record at the head of its incarnation's tasks.
    private mutating func link(_ index: UInt32) {
        let incarnation = Int(self[index].incarnation)
        let head = heads[incarnation]
        assert(head != index, "a task is twice among those of its incarnation")
        self[index].nextOfIncarnation = head
        if head != Self.none { self[head].previousOfIncarnation = index }
        heads[incarnation] = index
    }

    private mutating func unlink(_ index: UInt32) {
        let (previous, next) = (self[index].previousOfIncarnation, self[index].nextOfIncarnation)
        assert(
            previous != Self.none || heads[Int(self[index].incarnation)] == index,
            "the task at \(index) is not among those of its incarnation")
        if previous == Self.none {
            heads[Int(self[index].incarnation)] = next
        } else {
            self[previous].nextOfIncarnation = next
        }
        if next != Self.none { self[next].previousOfIncarnation = previous }
    }

    private mutating func remove(_ index: UInt32) {
        let record = unsafe records + Int(index)
        guard let task = unsafe record.pointee.task else { return }
        assert(count > 0, "more tasks leave the table than came in")
        removeChildren(of: index)
        unlink(index)
        unsafe record.pointee.task = nil
        unsafe record.pointee.next = free
        free = index
        count -= 1
        if unsafe !record.pointee.isAsyncLet { task.release() }
    }

    private mutating func removeChildren(of index: UInt32) {
        var child = self[index].firstChild
        self[index].firstChild = Self.none
        while child != Self.none {
            let next = self[child].next
            remove(child)
            child = next
        }
    }

    private mutating func takeIndex() -> UInt32 {
        if free != Self.none {
            let index = free
            free = self[index].next
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
