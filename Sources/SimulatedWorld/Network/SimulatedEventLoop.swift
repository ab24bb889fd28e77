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
    /// What becomes of work that is given to the loop.
    private enum Phase {
        /// Work runs in its turn.
        case living
        /// The incarnation has crashed, or ended: it waits until what is left is made to end, and runs then, unseen.
        case dead
        /// What is left is made to end: it runs at once, for no time passes any more.
        case unwinding
    }

    private let host: Simulation.Host
    private let world: World
    private let bootCount: Int
    private var isUnwinding: Bool = false
    private var isRunning: Bool = false
    private var tasks: CircularBuffer<() -> Void> = CircularBuffer(initialCapacity: 8)
    private var isScheduled: Bool = false
    private var isDraining: Bool = false
    private var runTasks: (UInt64) -> Void = { _ in }
    /// What was scheduled and has not happened, by number: its event, and how to fail it.
    private var scheduled: [UInt64: (event: ScheduledEvent, fail: (any Error) -> Void)] = [:]
    private var callbacks: [UInt64: ScheduledEvent] = [:]
    private var lastScheduled: UInt64 = 0
    /// Open channels, by number.
    private var channels: [UInt64: SimulatedChannel] = [:]
    private var lastChannel: UInt64 = 0

    init(host: Simulation.Host, world: World) {
        self.host = host
        self.world = world
        bootCount = host.bootCount
        runTasks = { [unowned self] _ in runScheduledTasks() }
    }

    // MARK: Life

    /// Whether the incarnation runs, or is paused.
    var isLiving: Bool { phase == .living }

    private var phase: Phase {
        if isUnwinding { return world.isMuted ? .unwinding : .dead }
        return host.bootCount == bootCount && (host.state == .running || host.state == .paused) ? .living : .dead
    }

    /// Makes what is left end: what was scheduled fails, channels close, and what that leads to runs.
    func unwind() {
        isUnwinding = true
        for number in scheduled.keys.sorted() {
            guard let (event, fail) = scheduled.removeValue(forKey: number) else { continue }
            world.cancel(event)
            run { fail(EventLoopError.cancelled) }
        }
        for number in callbacks.keys.sorted() {
            if let event = callbacks.removeValue(forKey: number) { world.cancel(event) }
        }
        for number in channels.keys.sorted() { channels[number]?.closeAtEnd() }
        channels = [:]
        runScheduledTasks()
    }

    func register(_ channel: SimulatedChannel) -> UInt64 {
        assert(!isUnwinding || world.isMuted, "a channel is made on a loop that is made to end")
        lastChannel += 1
        channels[lastChannel] = channel
        return lastChannel
    }

    func unregisterChannel(_ number: UInt64) {
        channels[number] = nil
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
        guard !isScheduled else { return }
        switch phase {
        case .living:
            isScheduled = true
            host.schedule(at: world.nanoseconds, runTasks)
        case .dead:
            // Living code gave it to a loop that nothing runs on: it can only wait for the end.
            guard isUnwinding else { return }
            isScheduled = true
            world.onEnd { [self] in
                isScheduled = false
                runScheduledTasks()
            }
        case .unwinding: if !isDraining { runScheduledTasks() }
        }
    }

    /// Tasks that may run on a loop that is made to end; what tries for ever is dropped.
    private static let unwindingTasksMax: Int = 100_000
    private var unwindingTasks: Int = 0

    /// Runs what was there at the beginning of this tick; what comes meanwhile waits for the next.
    private func runScheduledTasks() {
        isDraining = true
        repeat {
            if isUnwinding {
                unwindingTasks += tasks.count
                if unwindingTasks > Self.unwindingTasksMax { tasks.removeAll() }
            }
            run {
                var left = tasks.count
                while left > 0, let task = tasks.popFirst() {
                    task()
                    left -= 1
                }
            }
        } while isUnwinding && !tasks.isEmpty
        isDraining = false
        isScheduled = false
        if !tasks.isEmpty { scheduleTick() }
    }

    func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
        _submitIsolatedUnsafeUnchecked(task)
    }

    func _submitIsolatedUnsafeUnchecked<T>(_ task: @escaping () throws -> T) -> EventLoopFuture<T> {
        guard phase != .dead else { return DeadEventLoop.shared.makeFailedFuture(EventLoopError.shutdown) }
        let promise = makePromise(of: T.self)
        _executeIsolatedUnsafeUnchecked { promise.assumeIsolatedUnsafeUnchecked().completeWith(Result(catching: task)) }
        return promise.futureResult
    }

    // MARK: Time

    var now: NIODeadline { .uptimeNanoseconds(World.monotonicBase + world.nanoseconds) }

    private func nanoseconds(_ deadline: NIODeadline) -> UInt64 {
        deadline.uptimeNanoseconds > World.monotonicBase ? deadline.uptimeNanoseconds - World.monotonicBase : 0
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
        guard isLiving else { return DeadEventLoop.shared.failed() }
        let promise = makePromise(of: T.self)
        lastScheduled += 1
        let number = lastScheduled
        let event = host.schedule(at: nanoseconds(deadline)) { [self] _ in
            scheduled[number] = nil
            run { promise.assumeIsolatedUnsafeUnchecked().completeWith(Result(catching: task)) }
        }
        scheduled[number] = (event, { promise.fail($0) })
        // The promise of a cancelled task is failed by who cancels it.
        return Scheduled(promise: promise) { [loop = UncheckedTransfer(self)] in loop.value.cancelTask(number) }
    }

    private func cancelTask(_ number: UInt64) {
        guard let (event, _) = scheduled.removeValue(forKey: number) else { return }
        world.cancel(event)
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
        guard isLiving else { throw EventLoopError.shutdown }
        lastScheduled += 1
        let id = lastScheduled
        callbacks[id] = host.schedule(at: nanoseconds(deadline), argument: id) { [self] id in
            callbacks[id] = nil
            run { handler.handleScheduledCallback(eventLoop: self) }
        }
        return NIOScheduledCallback(self, id: id)
    }

    func cancelScheduledCallback(_ callback: NIOScheduledCallback) {
        guard let id = callback.customCallbackID, let event = callbacks.removeValue(forKey: id) else { return }
        world.cancel(event)
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
