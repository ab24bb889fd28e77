public import Randomness

/// What a part of the world needs of the kernel: its time, its events, streams of random numbers and the trace.
///
/// A part of the world is what tested code talks to and what is not under test: a network, a disk, a queue, a device. This
/// library's own network and disk are made with these functions and nothing else. Such a part is plain synchronous code: it
/// has no tasks, takes every random number from its ``stream(_:)``, does everything that takes time in an event, and records
/// each of its decisions, so that the digest tells two runs apart that decided otherwise.
///
/// What happens *to* a host's code, such as an answer that arrives, is done in an event of the host
/// (``Simulation/Host/schedule(at:argument:_:)``), which is dropped when the host crashes and waits while it is paused, or in
/// ``Simulation/Host/perform(_:)``. What happens between hosts is an event of the world.
///
/// Times are nanoseconds since the run's beginning: these are the hot paths. A world keeps the kernel, not the simulation, so
/// that a part which hosts' code holds does not keep a simulation that was never run.
public struct World {
    let kernel: Kernel

    /// The world of the simulation that runs on this thread, or nil.
    public static var current: World? { Kernel.current.map { World(kernel: $0.value.kernel) } }

    /// What `CLOCK_MONOTONIC` shows at a run's beginning, in ns.
    public static var monotonicBase: UInt64 { Kernel.monotonicBase }

    /// The present virtual time, in ns since the run's beginning.
    public var nanoseconds: UInt64 {
        @inline(__always) get { kernel.state.value.now }
    }

    /// Whether the run is over and what is left unwinds: nothing may start any more.
    public var isEnding: Bool { kernel.state.value.isEnding }

    /// Whether what runs now only ends, unseen: the run is over, or its host has crashed.
    public var isMuted: Bool { kernel.state.value.isMuted }

    /// The name of the host whose code runs now; nil in the world.
    public var currentHostName: String? { kernel.currentHost?.name }

    // MARK: Events

    /// Schedules an event that belongs to no host, whoever runs now; when the run is over, it never happens.
    ///
    /// Events of one instant happen in the order in which they were scheduled, unless the policy has it otherwise.
    ///
    /// - Parameters:
    ///   - nanoseconds: When, in ns since the run's beginning; a time that has passed is now.
    ///   - argument: What `action` gets, so that one closure can serve many events.
    ///   - action: What happens.
    /// - Returns: A handle to cancel it.
    @discardableResult
    public func schedule(
        at nanoseconds: UInt64, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        kernel.schedule(
            at: VirtualInstant(nanoseconds: max(nanoseconds, kernel.state.value.now)), argument: argument,
            incarnation: KernelState.world, action)
    }

    /// Cancels an event; does nothing when it has happened or was cancelled.
    public func cancel(_ event: ScheduledEvent) {
        _ = kernel.state.value.queue.remove(event)
    }

    // MARK: Decisions

    /// Makes the stream of random numbers of a part of the world.
    ///
    /// It follows from the seed and the label alone, so that a new part shifts nobody's draws. A label's stream begins anew
    /// each time: whoever asks keeps the labels unique, by the name of the part and a slash at their beginning.
    public func stream(_ label: String) -> RandomStream {
        kernel.root.fork("world/" + label)
    }

    /// Folds a decision into the trace, with the present time and host; drops it when ``isMuted``.
    ///
    /// - Parameters:
    ///   - kind: What kind of decision it is.
    ///   - first: What was decided; the kind gives the meaning.
    ///   - second: More of what was decided.
    ///   - contents: The ``ContentDigest`` of bytes that go with it, such as a packet's; 0 without any.
    ///   - text: What was decided, in words.
    @inline(__always)
    public func record(
        _ kind: TraceKind, _ first: UInt64 = 0, _ second: UInt64 = 0, contents: UInt64 = 0, text: String? = nil
    ) {
        guard !kernel.state.value.isMuted else { return }
        kernel.state.value.record(kind, first, second, contents: contents, text: text)
    }

    // MARK: Hosts and the end

    /// Adds a host, as ``Simulation/addHost(_:starts:boot:)`` does, for a part that hands something to the boot code.
    ///
    /// - Parameters:
    ///   - name: Its name, unique in the simulation.
    ///   - starts: Whether it starts at once (when the run begins, if it has not).
    ///   - boot: What runs at each start; a host without it has events only.
    /// - Returns: The host.
    /// - Throws: ``SimulationError/duplicateHost(_:)``.
    @discardableResult
    public func addHost(
        _ name: String, starts: Bool = true, boot: (() async throws -> Void)? = nil
    ) throws(SimulationError) -> Simulation.Host {
        try kernel.addHost(name, starts: starts, boot: boot)
    }

    /// Registers what a part of the world does when the run is over; last registered, first called.
    ///
    /// It lets go of what it keeps for hosts, and fails what their code waits for. When the run is over, it does nothing.
    public func onEnd(_ action: @escaping () -> Void) {
        kernel.onEnd(action)
    }

    /// Registers what tells, in lines, how things stand in a part of the world when a run ends before its time.
    ///
    /// The lines are in ``Outcome/worldReport`` and in the text of a failed run.
    public func onReport(_ report: @escaping () -> [String]) {
        kernel.onReport(report)
    }
}

extension Simulation {
    /// The kernel as the parts of the world see it.
    public var world: World { World(kernel: kernel) }
}

extension Simulation.Host {
    /// Schedules an event of the present incarnation: it is dropped when the host crashes and waits while it is paused.
    ///
    /// - Parameters:
    ///   - nanoseconds: When, in ns since the run's beginning; a time that has passed is now.
    ///   - argument: What `action` gets, so that one closure can serve many events.
    ///   - action: What happens, as the host's code.
    /// - Returns: A handle to cancel it.
    @discardableResult
    public func schedule(
        at nanoseconds: UInt64, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        kernel.schedule(
            at: VirtualInstant(nanoseconds: max(nanoseconds, kernel.state.value.now)), argument: argument,
            incarnation: incarnation, action)
    }

    /// Runs `body` at once as this host's code: its wall clock, its draws, its tasks.
    ///
    /// - Precondition: The host runs; for one that may be paused or down, schedule an event of it.
    public func perform(_ body: () -> Void) {
        assert(state == .running, "host '\(name)' is \(state) and runs no code")
        kernel.perform(as: incarnation, body)
    }

    /// Registers what the world does when the present incarnation is made to end for good, after a crash or at the run's end.
    ///
    /// It fails what the incarnation's code waits for, so that this code can end; what that code then does reaches nobody.
    public func onUnwind(_ action: @escaping () -> Void) {
        kernel.state.value.addUnwindAction(action, of: incarnation)
    }
}
