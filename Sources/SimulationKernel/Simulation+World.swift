/// What parts of the world (network, disk, cluster) need of the kernel.
///
/// Times are nanoseconds since the run's beginning: these are the hot paths.
extension Simulation {
    /// What `CLOCK_MONOTONIC` shows at a run's beginning, in ns.
    package static var monotonicBase: UInt64 { Kernel.monotonicBase }

    /// The present virtual time.
    package var nanoseconds: UInt64 {
        @inline(__always) get { kernel.state.value.now }
    }

    /// Whether the run is over and what is left unwinds: nothing may start any more.
    package var isEnding: Bool { kernel.state.value.isEnding }

    /// Schedules an event that belongs to no host, whoever runs now.
    @discardableResult
    package func scheduleForWorld(
        at nanoseconds: UInt64, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        kernel.schedule(
            at: VirtualInstant(nanoseconds: max(nanoseconds, kernel.state.value.now)), argument: argument,
            incarnation: KernelState.world, action)
    }

    /// The name of the host whose code runs now; nil in the world.
    package var currentHostName: String? { kernel.currentHost?.name }

    /// Registers what a part of the world does when the run is over; last registered, first called.
    package func onEnd(_ action: @escaping () -> Void) {
        kernel.onEnd(action)
    }

    /// A stream of random numbers for a part of the world, which keeps its labels unique itself.
    package func worldStream(_ label: String) -> RandomStream {
        kernel.root.fork("world/" + label)
    }
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
