import Randomness

/// What parts of the world (network, disk, cluster) need of the kernel.
///
/// Times are nanoseconds since the run's beginning: these are the hot paths. It keeps the kernel, not the simulation, so
/// that a part of the world which hosts' code holds does not keep a simulation that was never run.
package struct World {
    let kernel: Kernel

    /// The world of the simulation that runs on this thread, or nil.
    package static var current: World? { Kernel.current.map { World(kernel: $0.value.kernel) } }

    /// What `CLOCK_MONOTONIC` shows at a run's beginning, in ns.
    package static var monotonicBase: UInt64 { Kernel.monotonicBase }

    /// The present virtual time.
    package var nanoseconds: UInt64 {
        @inline(__always) get { kernel.state.value.now }
    }

    /// Whether the run is over and what is left unwinds: nothing may start any more.
    package var isEnding: Bool { kernel.state.value.isEnding }

    /// Whether what runs now only ends, unseen: the run is over, or its host has crashed.
    package var isMuted: Bool { kernel.state.value.isMuted }

    /// Schedules an event that belongs to no host, whoever runs now; when the run is over, it never happens.
    @discardableResult
    package func schedule(
        at nanoseconds: UInt64, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        kernel.schedule(
            at: VirtualInstant(nanoseconds: max(nanoseconds, kernel.state.value.now)), argument: argument,
            incarnation: KernelState.world, action)
    }

    /// Cancels an event; does nothing when it has happened or was cancelled.
    package func cancel(_ event: ScheduledEvent) {
        _ = kernel.state.value.queue.remove(event)
    }

    /// Folds a decision into the trace.
    ///
    /// - Parameters:
    ///   - kind: What kind of decision it is.
    ///   - first: What was decided; the kind gives the meaning.
    ///   - second: The same.
    ///   - contents: The digest of bytes that go with it, such as a packet's.
    ///   - text: What was decided, in words.
    @inline(__always)
    package func record(
        _ kind: TraceKind, _ first: UInt64 = 0, _ second: UInt64 = 0, contents: UInt64 = 0, text: String? = nil
    ) {
        guard !kernel.state.value.isMuted else { return }
        kernel.state.value.record(kind, first, second, contents: contents, text: text)
    }

    /// The name of the host whose code runs now; nil in the world.
    package var currentHostName: String? { kernel.currentHost?.name }

    /// Adds a host, as ``Simulation/addHost(_:starts:boot:)`` does.
    ///
    /// - Throws: ``SimulationError/duplicateHost(_:)``.
    package func addHost(
        _ name: String, starts: Bool, boot: (() async throws -> Void)?
    ) throws(SimulationError) -> Simulation.Host {
        try kernel.addHost(name, starts: starts, boot: boot)
    }

    /// Registers what a part of the world does when the run is over; last registered, first called.
    package func onEnd(_ action: @escaping () -> Void) {
        kernel.onEnd(action)
    }

    /// Registers what tells, in lines, how things stand in a part of the world when a run ends before its time.
    package func onReport(_ report: @escaping () -> [String]) {
        kernel.onReport(report)
    }

    /// A stream of random numbers for a part of the world, which keeps its labels unique itself.
    package func stream(_ label: String) -> RandomStream {
        kernel.root.fork("world/" + label)
    }
}

extension Simulation {
    /// The kernel as the parts of the world see it.
    package var world: World { World(kernel: kernel) }
}

extension Simulation.Host {
    /// Schedules an event of the present incarnation, at nanoseconds since the run's beginning.
    @discardableResult
    package func schedule(
        at nanoseconds: UInt64, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        schedule(atNanoseconds: nanoseconds, argument: argument, action)
    }
}
