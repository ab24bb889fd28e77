public import SimulationKernel

/// A workload that uses everything tested code may use, on many hosts that crash at random.
///
/// Its digest must repeat: in one process, over processes, with the machine busy. A ``Leak`` planted in it must be found.
public struct Torture {
    /// Hosts that run the workload.
    public var hosts: Int
    /// Virtual time that it runs for.
    public var duration: Duration
    /// Who goes first.
    public var policy: SchedulingPolicy
    /// What is planted, if anything.
    public var leak: Leak?
    /// How much of the trace is kept.
    public var recording: TraceRecording.Limits?
    /// Whether guards end the run at the first violation.
    public var strict: Bool

    /// Describes a run; by default 100 hosts for 20 s without a leak.
    public init(
        hosts: Int = 100, duration: Duration = .seconds(20), policy: SchedulingPolicy = .firstInFirstOut,
        leak: Leak? = nil, recording: TraceRecording.Limits? = nil, strict: Bool = true
    ) {
        self.hosts = hosts
        self.duration = duration
        self.policy = policy
        self.leak = leak
        self.recording = recording
        self.strict = strict
    }

    /// Runs the torture from one seed.
    ///
    /// - Throws: ``SimulationError`` when the run cannot begin.
    public func run(seed: Seed) throws -> Outcome<Void> {
        var guards = strict ? Guards.strict : .counting
        if leak == .blockedThread || leak == .stuckThread {
            guards.blockLimit = .milliseconds(100)
            // What ends by itself must not end the process, however busy the machine is.
            guards.fatalBlockLimit = leak == .stuckThread ? .seconds(1) : .seconds(30)
        }
        let options = Simulation.Options(
            policy: policy, guards: guards, recording: recording, usesMainActor: true)
        let simulation = Simulation(seed: seed, options: options)
        for number in 0..<hosts {
            let leak = number == 0 ? self.leak : nil
            try simulation.addHost("host-\(number)") { try await Workload(leak: leak).run() }
        }
        // Where the runs of two processes part.
        if let leak, leak != leak.cause { _ = try PlantedWorld(simulation, leak) }
        var chaos = try simulation.stream("chaos")
        let duration = duration
        let hosts = hosts
        return try simulation.run {
            let end = simulation.now.advanced(by: duration)
            while simulation.now < end {
                try await simulation.clock.sleep(for: chaos.duration(.exponential(mean: .milliseconds(50))))
                guard let host = simulation.host(named: "host-\(chaos.index(below: hosts))") else { continue }
                switch chaos.index(below: 6) {
                case 0, 1: host.restart()
                case 2: host.crash()
                case 3: host.pause()
                case 4: host.stepWallClock(by: chaos.duration(.uniform(min: .zero, max: .seconds(3))) - .seconds(1))
                default: host.driftWallClock(nanosecondsPerSecond: chaos.index(below: 100_000))
                }
                let after = chaos.duration(.uniform(min: .milliseconds(1), max: .seconds(2)))
                simulation.schedule(after: after) { _ in
                    host.resume()
                    host.start()
                }
            }
        }
    }
}
