import CSystemSeam

/// The clock of the simulation that runs on this thread.
///
/// Tested code that takes `any Clock<Duration>` gets this one or, as well, a `ContinuousClock`, which is virtual here.
/// This one is quicker, and stricter: to sleep until a moment that has passed is an error.
public struct VirtualClock: Clock {
    /// Makes the clock; it has no state of its own.
    public init() {}

    /// The present virtual time.
    ///
    /// - Precondition: A simulation runs on this thread.
    public var now: VirtualInstant {
        VirtualInstant(nanoseconds: Self.state.value.now)
    }

    /// One nanosecond.
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// Suspends until `deadline`; `tolerance` is not used.
    ///
    /// - Throws: ``SimulationError/sleepInThePast(deadline:now:)`` when the deadline has passed, as for a negative
    ///   duration; `CancellationError` as soon as the task is cancelled.
    public func sleep(until deadline: VirtualInstant, tolerance: Duration? = nil) async throws {
        let state = Self.state
        let now = state.value.now
        guard deadline.nanoseconds >= now else {
            throw SimulationError.sleepInThePast(deadline: deadline, now: VirtualInstant(nanoseconds: now))
        }
        guard let task = Job.currentTask, let index = state.value.record(of: task) else {
            throw CancellationError()
        }
        let sleeper = Sleeper(token: task.token, number: state.value.tasks[index].number)
        ThreadContext.current?.noteClockRead()
        let wasCompleted = await withTaskCancellationHandler {
            unsafe await withUnsafeContinuation { continuation in
                if Task.isCancelled {
                    unsafe continuation.resume(returning: false)
                } else {
                    unsafe state.value.sleep(until: deadline.nanoseconds, task: index, continuation: continuation)
                }
            }
        } onCancel: {
            sleeper.cancel()
        }
        if !wasCompleted { throw CancellationError() }
    }

    private static var state: Pinned<KernelState> {
        guard let state = Kernel.current else {
            preconditionFailure("a VirtualClock was used on a thread on which no simulation runs")
        }
        return state
    }
}

/// A task that sleeps on the virtual clock.
private struct Sleeper: Sendable {
    let token: TaskToken
    let number: UInt64

    func cancel() {
        let sleep = CancelledSleep(index: token.index, number: number)
        if let state = Kernel.current, state.value.number == token.kernel {
            state.value.cancel(sleep)
        } else {
            // Cancelled from a foreign thread: only the kernel may touch its timers, and it reports who came.
            _ = seam_foreign_push(token.kernel, nil, ForeignTag.cancelledSleep.rawValue, sleep.bits)
        }
    }
}

extension Clock where Self == VirtualClock {
    /// The clock of the simulation that runs on this thread.
    public static var virtual: VirtualClock { VirtualClock() }
}
