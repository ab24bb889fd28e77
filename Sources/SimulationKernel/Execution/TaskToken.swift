/// Names a task of one kernel, in the word of its job that the runtime reserves: which kernel, and which record of its table.
///
/// A word of zeros is no token: a task that no kernel has seen.
struct TaskToken: Hashable {
    /// The kernel in the upper half; in the lower half one more than the record's index.
    let bits: UInt64

    /// The token of a task that no kernel has seen.
    static let none: TaskToken = TaskToken(bits: 0)

    init(bits: UInt64) {
        self.bits = bits
    }

    @inline(__always)
    init(kernel: UInt32, index: UInt32) {
        assert(kernel != 0, "a kernel that is not registered has no tasks")
        assert(index != TaskTable.none, "a token of no record")
        bits = UInt64(kernel) << 32 | UInt64(index + 1)
    }

    var isNone: Bool {
        @inline(__always) get { bits == 0 }
    }

    /// The mark by which the process finds the kernel; 0 without one.
    var kernel: UInt32 {
        @inline(__always) get { UInt32(truncatingIfNeeded: bits >> 32) }
    }

    /// The record's index in the kernel's table; `TaskTable.none` without one.
    var index: UInt32 {
        @inline(__always) get { UInt32(truncatingIfNeeded: bits) &- 1 }
    }
}

/// Which sleep of which task was cancelled, as a foreign thread tells a kernel.
struct CancelledSleep {
    /// The task's record.
    let index: UInt32
    /// The lower half of the task's number: the record may be another task's by now.
    let number: UInt32

    init(index: UInt32, number: UInt64) {
        self.index = index
        self.number = UInt32(truncatingIfNeeded: number)
    }

    init(bits: UInt64) {
        index = UInt32(truncatingIfNeeded: bits >> 32)
        number = UInt32(truncatingIfNeeded: bits)
    }

    var bits: UInt64 { UInt64(index) << 32 | UInt64(number) }
}
