import CSystemSeam
import Randomness

extension Simulation {
    /// A simulated machine or process: it can be crashed, restarted and paused, and has a wall clock of its own.
    ///
    /// A crash ends an incarnation. Its tasks never run again during the run, its sleeps and events are dropped, and what
    /// it kept in memory is gone for the next incarnation, which begins with the boot code. When the whole run has ended,
    /// the tasks of crashed incarnations are cancelled so that they can free what they hold.
    public final class Host {
        /// What a host is doing.
        public enum State: Hashable, Sendable, CustomStringConvertible {
            /// Never started.
            case stopped
            /// Running, or idle after its boot code returned.
            case running
            /// Stopped in the middle of everything; time passes for others.
            case paused
            /// The last incarnation has crashed, and none has been started since.
            case crashed

            /// The state in a word or two.
            public var description: String {
                switch self {
                case .stopped: "not started"
                case .running: "running"
                case .paused: "paused"
                case .crashed: "crashed"
                }
            }
        }

        // First, so that an event of a host touches one line of its memory.
        let kernel: Kernel
        private(set) var incarnation: UInt32 = KernelState.world
        /// The host's place among the hosts of the simulation.
        public let id: HostID
        /// The host's name.
        public let name: String
        /// What it is doing.
        public private(set) var state: State = .stopped
        /// How often it was started.
        public private(set) var bootCount: Int = 0
        /// How the boot code of the latest incarnation ended; nil while it runs and after a crash.
        public private(set) var exit: Result<Void, any Error>?

        private(set) var startsWithRun: Bool
        private var boot: (() async throws -> Void)?
        private var waiting: [ReadyItem] = []
        private var crashActions: [() -> Void] = []
        private var ownWall: Pinned<seam_wall_clock>?

        init(name: String, id: HostID, kernel: Kernel, starts: Bool, boot: (() async throws -> Void)?) {
            self.name = name
            self.id = id
            self.kernel = kernel
            startsWithRun = starts
            self.boot = boot
        }

        deinit {
            ownWall?.free()
        }

        /// The host whose code runs now on this thread; nil in the world, and outside a simulation.
        public static var current: Host? {
            guard let state = Kernel.current else { return nil }
            return state.value.kernel.currentHost
        }

        // MARK: Life

        /// Starts the host: a new incarnation, which begins with the boot code.
        ///
        /// Does nothing when it runs. Before the run, it starts when the run does.
        public func start() {
            if kernel.phase == .prepared { startsWithRun = true }
            guard kernel.phase == .running, state == .stopped || state == .crashed else { return }
            bootCount += 1
            exit = nil
            state = .running
            let random = kernel.root.fork("kernel/system/\(name)/\(bootCount)")
            let wall = ownWall ?? kernel.worldWall
            incarnation = kernel.state.value.addIncarnation(
                KernelState.Incarnation(host: id, wall: wall, random: random))
            trace("start")
            if let boot { startTask(boot) }
        }

        private func startTask(_ boot: @escaping () async throws -> Void) {
            let code = UncheckedTransfer((host: self, boot: boot, bootCount: bootCount))
            let previous = kernel.state.value.current
            // A task belongs to whoever runs when it is made.
            kernel.state.value.current = incarnation
            defer { kernel.state.value.current = previous }
            Task {
                let (host, boot, bootCount) = code.value
                var result: Result<Void, any Error> = .success(())
                do {
                    try await boot()
                } catch {
                    result = .failure(error)
                }
                host.noteExit(result, bootCount: bootCount)
            }
        }

        /// Ends the incarnation at once, as when the power fails: nothing of it runs again, nothing is said to anybody.
        public func crash() {
            guard kernel.phase == .running, state == .running || state == .paused else { return }
            assert(incarnation != KernelState.world, "host '\(name)' runs and has no incarnation")
            state = .crashed
            exit = nil
            kernel.kill(incarnation)
            for item in waiting { kernel.setAside(item) }
            waiting = []
            trace("crash")
            let actions = crashActions
            crashActions = []
            for action in actions.reversed() { action() }
        }

        /// Crashes the host if it runs, and starts it again.
        public func restart() {
            crash()
            start()
        }

        /// Stops the host in the middle of everything, as `SIGSTOP` does; its timers go on and are noticed on resuming.
        public func pause() {
            guard kernel.phase == .running, state == .running else { return }
            state = .paused
            kernel.state.value.setState(.paused, of: incarnation)
            trace("pause")
        }

        /// Lets a paused host go on; what became ready meanwhile runs in its order.
        public func resume() {
            guard state == .paused else { return }
            state = .running
            kernel.state.value.setState(.running, of: incarnation)
            trace("resume")
            releaseSetAside()
        }

        /// Registers what the world does when this incarnation crashes, such as closing its sockets; last registered, first called.
        public func onCrash(_ action: @escaping () -> Void) {
            crashActions.append(action)
        }

        /// Schedules an event of this incarnation: it is dropped when the host crashes and waits while it is paused.
        ///
        /// - Parameters:
        ///   - delay: How long from now; not negative.
        ///   - argument: What `action` gets, so that one closure can serve many events.
        ///   - action: What happens, as the host's code.
        /// - Returns: A handle to cancel it.
        @discardableResult
        public func schedule(
            after delay: Duration, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
        ) -> ScheduledEvent {
            kernel.schedule(
                at: kernel.instant(after: delay), argument: argument, incarnation: incarnation, action)
        }

        // MARK: Wall clock

        /// What the host's wall clock shows, as time since 1970-01-01 00:00 UTC.
        public var wallTime: Duration { .nanoseconds(wallNanoseconds) }

        /// Moves the wall clock, forward or back, as an administrator or a time service does.
        public func stepWallClock(by offset: Duration) {
            changeWallClock { wall in
                let (sum, overflow) = wall.wall_at.addingReportingOverflow(offset.clampedNanoseconds)
                wall.wall_at = overflow ? (offset < .zero ? Int64.min / 2 : Int64.max / 2) : sum
            }
            trace("step", UInt64(bitPattern: offset.clampedNanoseconds))
        }

        /// Lets the wall clock gain (or lose, when negative) so many nanoseconds a second from now on.
        public func driftWallClock(nanosecondsPerSecond drift: Int) {
            changeWallClock { $0.drift_ppb = Int64(drift) }
            trace("drift", UInt64(bitPattern: Int64(drift)))
        }

        /// Sets the wall clock right again and ends its drift.
        public func unskewWallClock() {
            let now = kernel.state.value.now
            changeWallClock {
                $0 = seam_wall_clock(wall_at: kernel.options.epochNanoseconds + Int64(now), since: now, drift_ppb: 0)
            }
            trace("unskew")
        }

        private var wallNanoseconds: Int64 {
            let wall = (ownWall ?? kernel.worldWall).value
            assert(wall.since <= kernel.state.value.now, "host '\(name)' has a wall clock of the future")
            let elapsed = Int128(kernel.state.value.now - wall.since)
            return Int64(Int128(wall.wall_at) + elapsed + elapsed * Int128(wall.drift_ppb) / 1_000_000_000)
        }

        private func changeWallClock(_ change: (inout seam_wall_clock) -> Void) {
            let shown = wallNanoseconds
            let now = kernel.state.value.now
            var wall = seam_wall_clock(wall_at: shown, since: now, drift_ppb: ownWall?.value.drift_ppb ?? 0)
            change(&wall)
            if let ownWall {
                ownWall.value = wall
                return
            }
            let own = Pinned(making: wall)
            ownWall = own
            kernel.setWallClock(own, of: incarnation == KernelState.world ? nil : incarnation)
        }

        // MARK: For the kernel

        /// The run is over: lets go of everything that may hold the simulation.
        func forget() {
            boot = nil
            crashActions = []
            waiting = []
        }

        func setAside(_ item: ReadyItem) {
            assert(state == .paused, "work is kept for host '\(name)', which is \(state)")
            waiting.append(item)
        }

        /// Whether it keeps nothing for later.
        var isEmptyHanded: Bool { waiting.isEmpty }

        func releaseSetAside() {
            for item in waiting { kernel.state.value.ready.append(item) }
            waiting = []
        }

        private func noteExit(_ result: Result<Void, any Error>, bootCount: Int) {
            // A late end of an incarnation that crashed says nothing about the present one.
            guard bootCount == self.bootCount, state != .crashed else { return }
            if kernel.phase == .running, !kernel.state.value.isEnding {
                exit = result
                if case .failure = result { trace("fail") } else { trace("return") }
            }
        }

        private func trace(_ what: String, _ value: UInt64? = nil) {
            guard kernel.phase == .running, !kernel.state.value.isEnding else { return }
            kernel.state.value.record(
                .host, UInt64(id.index), value ?? UInt64(bootCount), text: "\(name) \(what)")
        }
    }
}
