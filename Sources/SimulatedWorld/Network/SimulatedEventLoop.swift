// The leading underscores are those of names that NIO's protocols require.
// swift-format-ignore-file: NoLeadingUnderscores

import Dispatch
import NIOCore
import SimulationKernel

/// The event loop of one incarnation of a host, on the kernel's virtual time.
///
/// All loops share the kernel's thread, but each is strict: `inEventLoop` is true only while its own work runs, so that
/// tested code takes the same paths as in production and code that touches another host's objects is caught.
final class SimulatedEventLoop: EventLoop, NIOSerialEventLoopExecutor, @unchecked Sendable {
    private let host: Simulation.Host
    private let simulation: Simulation
    private var isRunning: Bool = false
    private var tasks: CircularBuffer<() -> Void> = CircularBuffer(initialCapacity: 8)
    private var isScheduled: Bool = false
    private var isDraining: Bool = false
    private let bootCount: Int
    private var runTasks: (UInt64) -> Void = { _ in }
    private var callbacks: [UInt64: ScheduledEvent] = [:]
    private var nextCallback: UInt64 = 0

    init(host: Simulation.Host, simulation: Simulation) {
        self.host = host
        self.simulation = simulation
        bootCount = host.bootCount
        runTasks = { [unowned self] _ in runScheduledTasks() }
    }

    // MARK: Running

    var inEventLoop: Bool { isRunning }

    /// Runs `body` as the loop's own work, as when a socket becomes ready.
    @inline(__always)
    func run(_ body: () -> Void) {
        let wasRunning = isRunning
        isRunning = true
        body()
        isRunning = wasRunning
    }

    func execute(_ task: @escaping @Sendable () -> Void) {
        _executeIsolatedUnsafeUnchecked(task)
    }

    func _executeIsolatedUnsafeUnchecked(_ task: @escaping () -> Void) {
        tasks.append(task)
        scheduleTick()
    }

    private func scheduleTick() {
        if simulation.isEnding {
            // No events happen any more; what unwinds still hops between loops.
            if !isDraining { runScheduledTasks() }
        } else if !isScheduled, host.bootCount == bootCount {
            isScheduled = true
            host.schedule(at: simulation.nanoseconds, runTasks)
        }
    }

    /// Tasks that may run on a loop when the run is over; what tries for ever is dropped.
    private static let endingTasksMax: Int = 100_000
    private var endingTasks: Int = 0

    /// Runs what was there at the beginning of this tick; what comes meanwhile waits for the next.
    private func runScheduledTasks() {
        isDraining = true
        repeat {
            if simulation.isEnding {
                endingTasks += tasks.count
                if endingTasks > Self.endingTasksMax { tasks.removeAll() }
            }
            run {
                var left = tasks.count
                while left > 0, let task = tasks.popFirst() {
                    task()
                    left -= 1
                }
            }
        } while simulation.isEnding && !tasks.isEmpty
        isDraining = false
        isScheduled = false
        if !tasks.isEmpty { scheduleTick() }
    }

    func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
        _submitIsolatedUnsafeUnchecked(task)
    }

    func _submitIsolatedUnsafeUnchecked<T>(_ task: @escaping () throws -> T) -> EventLoopFuture<T> {
        let promise = makePromise(of: T.self)
        _executeIsolatedUnsafeUnchecked { promise.assumeIsolatedUnsafeUnchecked().completeWith(Result(catching: task)) }
        return promise.futureResult
    }

    // MARK: Time

    var now: NIODeadline { .uptimeNanoseconds(Simulation.monotonicBase + simulation.nanoseconds) }

    private func nanoseconds(_ deadline: NIODeadline) -> UInt64 {
        deadline.uptimeNanoseconds > Simulation.monotonicBase
            ? deadline.uptimeNanoseconds - Simulation.monotonicBase : 0
    }

    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        _scheduleTaskIsolatedUnsafeUnchecked(deadline: deadline, task)
    }

    func scheduleTask<T>(in amount: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        _scheduleTaskIsolatedUnsafeUnchecked(deadline: now + amount, task)
    }

    func _scheduleTaskIsolatedUnsafeUnchecked<T>(
        in amount: TimeAmount, _ task: @escaping () throws -> T
    ) -> Scheduled<T> {
        _scheduleTaskIsolatedUnsafeUnchecked(deadline: now + amount, task)
    }

    func _scheduleTaskIsolatedUnsafeUnchecked<T>(
        deadline: NIODeadline, _ task: @escaping () throws -> T
    ) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let event = host.schedule(at: nanoseconds(deadline)) { [self] _ in
            run { promise.assumeIsolatedUnsafeUnchecked().completeWith(Result(catching: task)) }
        }
        return Scheduled(promise: promise) { [simulation = UncheckedBox(simulation)] in
            simulation.value.cancel(event)
        }
    }

    @discardableResult
    func scheduleCallback(
        at deadline: NIODeadline, handler: some (NIOScheduledCallbackHandler & Sendable)
    ) throws -> NIOScheduledCallback {
        try _scheduleCallbackIsolatedUnsafeUnchecked(at: deadline, handler: handler)
    }

    @discardableResult
    func scheduleCallback(
        in amount: TimeAmount, handler: some (NIOScheduledCallbackHandler & Sendable)
    ) throws -> NIOScheduledCallback {
        try _scheduleCallbackIsolatedUnsafeUnchecked(at: now + amount, handler: handler)
    }

    @discardableResult
    func _scheduleCallbackIsolatedUnsafeUnchecked(
        in amount: TimeAmount, handler: some NIOScheduledCallbackHandler
    ) throws -> NIOScheduledCallback {
        try _scheduleCallbackIsolatedUnsafeUnchecked(at: now + amount, handler: handler)
    }

    @discardableResult
    func _scheduleCallbackIsolatedUnsafeUnchecked(
        at deadline: NIODeadline, handler: some NIOScheduledCallbackHandler
    ) throws -> NIOScheduledCallback {
        nextCallback += 1
        let id = nextCallback
        callbacks[id] = host.schedule(at: nanoseconds(deadline), argument: id) { [self] id in
            callbacks[id] = nil
            run { handler.handleScheduledCallback(eventLoop: self) }
        }
        return NIOScheduledCallback(self, id: id)
    }

    func cancelScheduledCallback(_ callback: NIOScheduledCallback) {
        guard let id = callback.customCallbackID, let event = callbacks.removeValue(forKey: id) else { return }
        simulation.cancel(event)
    }

    // MARK: Rest of the protocol

    func makeSucceededVoidFuture() -> EventLoopFuture<Void> {
        // `makeSucceededFuture(())` would call this again.
        let promise = makePromise(of: Void.self)
        promise.succeed(())
        return promise.futureResult
    }

    func preconditionInEventLoop(file: StaticString, line: UInt) {
        precondition(
            isRunning, "code of host '\(host.name)' touches an event loop from outside it", file: file, line: line)
    }

    func preconditionNotInEventLoop(file: StaticString, line: UInt) {
        precondition(!isRunning, file: file, line: line)
    }

    func _preconditionSafeToWait(file: StaticString, line: UInt) {
        preconditionFailure("wait() would block the simulation for ever; use get()", file: file, line: line)
    }

    @preconcurrency
    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        // The loop is the host's; it ends with it.
        execute { callback(EventLoopError.unsupportedOperation) }
    }
}

/// Carries a value that never leaves the kernel's thread into a closure that says it might.
struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
