public import Faults
public import Randomness

/// Draws fault schedules for a deployment: which faults, on whom, how strong, when, and for how long.
///
/// Each seed draws a subset of the kinds with weights of its own (swarm testing), so that some runs are all crashes and others all disks.
public struct Nemesis: Sendable {
    /// A way to draw a fault.
    public struct Source: Sendable {
        /// What is drawn, for people.
        public let name: String
        /// How much more often than others it is drawn.
        public let weight: Int
        /// Draws faults that begin together; none where the deployment has nobody whom they could hit.
        let draw: @Sendable (inout RandomStream, DeploymentNames) -> [Fault]

        /// Makes a source.
        public init(
            _ name: String, weight: Int = 1, draw: @escaping @Sendable (inout RandomStream, DeploymentNames) -> [Fault]
        ) {
            self.name = name
            self.weight = weight
            self.draw = draw
        }

        /// The same, but for faults that are not wanted: those are not drawn.
        public func filtered(_ isWanted: @escaping @Sendable (Fault) -> Bool) -> Source {
            let draw = draw
            return Source(name, weight: weight) { random, names in
                draw(&random, names).filter(isWanted)
            }
        }
    }

    /// How schedules are drawn.
    public struct Options: Sendable {
        /// For how long faults may begin.
        public var duration: Duration = .seconds(240)
        /// When the first may begin.
        public var quiet: Duration = .seconds(10)
        /// The time between two faults, drawn evenly.
        public var interval: ClosedRange<Duration> = .seconds(1)...(.seconds(15))
        /// For how long a fault acts, drawn evenly.
        public var span: ClosedRange<Duration> = .milliseconds(500)...(.seconds(40))
        /// The marks that faults may be tied to.
        public var marks: [Mark] = []

        /// Four minutes, a fault every eight seconds.
        public init() {}
    }

    private let names: DeploymentNames
    private let sources: [Source]
    private let options: Options

    /// Makes a nemesis of a deployment.
    public init(against names: DeploymentNames, sources: [Source] = Nemesis.everything, options: Options = Options()) {
        self.names = names
        self.sources = sources
        self.options = options
    }

    /// Draws a schedule.
    public func schedule(_ random: inout RandomStream) -> FaultSchedule {
        let mix = swarm(&random)
        guard !mix.isEmpty else { return FaultSchedule() }
        var faults: [ScheduledFault] = []
        var time = options.quiet
        while time < options.quiet + options.duration {
            let drawn = mix[random.index(below: mix.count)].draw(&random, names)
            let (trigger, span) = (self.trigger(at: time, &random), random.duration(in: options.span))
            faults += drawn.map { ScheduledFault(trigger, for: span, $0) }
            time += random.duration(in: options.interval)
        }
        return FaultSchedule(faults)
    }

    /// Some of the sources, each as often as its weight and luck say.
    private func swarm(_ random: inout RandomStream) -> [Source] {
        var mix: [Source] = []
        for source in sources where random.index(below: 3) > 0 {
            mix += Array(repeating: source, count: source.weight * (1 + random.index(below: 4)))
        }
        return mix.isEmpty ? sources : mix
    }

    /// One in four is tied to a mark, where there are any.
    private func trigger(at time: Duration, _ random: inout RandomStream) -> FaultTrigger {
        guard !options.marks.isEmpty, random.index(below: 4) == 0 else { return .at(time) }
        let mark = options.marks[random.index(below: options.marks.count)]
        let delay = Duration.milliseconds(Int64(random.index(below: 4)) * 50)
        // Some marks are reached once in a run, others every second.
        let nth = 1 + random.index(below: 1 << random.index(below: 8))
        return .on(mark: mark.name, nth: nth, delay: delay)
    }
}

extension RandomStream {
    /// A duration in a range, to the millisecond.
    public mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        let first = range.lowerBound.attoseconds / 1_000_000_000_000_000
        let last = range.upperBound.attoseconds / 1_000_000_000_000_000
        return .milliseconds(Int64(first) + Int64(index(below: Int(last - first) + 1)))
    }

    /// One of several; nil where there is none.
    mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[index(below: elements.count)]
    }

    /// A share with a numerator of 1.
    mutating func share(oneIn range: ClosedRange<Int>) -> Ratio {
        Ratio(1, outOf: UInt64(range.lowerBound + index(below: range.count)))
    }
}

// MARK: - Sources

extension Nemesis {
    /// Every kind of fault that any deployment knows.
    public static let everything: [Source] = network + listeners + processes + clocks + disks

    /// Faults of links: each between a machine and another, or all others, in one direction or both.
    public static let network: [Source] = [
        link("cut", weight: 2) { _ in .cut },
        link("hold") { _ in .hold },
        link("slow", weight: 2) {
            .slow(
                by: $0.duration(in: .milliseconds(5)...(.seconds(6))),
                jitter: $0.index(below: 2) == 0 ? .zero : $0.duration(in: .milliseconds(1)...(.seconds(2))))
        },
        link("lose") { .lose($0.share(oneIn: 2...50)) },
        link("limit") { .limit(bytesPerSecond: 500 + $0.index(below: 100_000)) },
        link("reset") { _ in .reset },
        link("toxic", weight: 2) { .toxic(toxic(&$0)) },
    ]

    /// Faults of whoever accepts connections, and of the resolver; who is connected is made to connect again.
    public static let listeners: [Source] = [
        listener("refuse") { _ in .refuse }, listener("black hole") { _ in .blackHole },
        listener("accept late") { .acceptLate(by: $0.duration(in: .milliseconds(10)...(.seconds(8)))) },
        listener("unresolvable") { _ in .unresolvable },
    ]

    /// Crashes, power losses and pauses, at once and in the middle of something.
    public static let processes: [Source] = [
        on(\.processes, "crash", weight: 2) { [.process(.crash(.now, down: down(&$0)), $1)] },
        on(\.processes, "power loss", weight: 2) {
            [.process(.powerLoss(.now, down: down(&$0), outcome: outcome(&$0)), $1)]
        },
        on(\.disks, "crash inside an operation", weight: 2) {
            [.process(.crash(.operation(1 + $0.index(below: 30)), down: down(&$0)), $1)]
        },
        on(\.disks, "power loss inside an operation", weight: 4) {
            [.process(.powerLoss(.operation(1 + $0.index(below: 30)), down: down(&$0), outcome: outcome(&$0)), $1)]
        },
        on(\.processes, "crash while starting") {
            [
                .process(.crashStarting(after: $0.duration(in: .milliseconds(0)...(.milliseconds(200)))), $1),
                .process(.crash(.now, down: $0.duration(in: .milliseconds(0)...(.milliseconds(500)))), $1),
            ]
        },
        on(\.processes, "pause") { [.process(.pause, $1)] },
    ]

    /// Wall clocks that jump and drift.
    public static let clocks: [Source] = [
        on(\.processes, "clock step") {
            [.clock(.step(by: $0.duration(in: .milliseconds(-7_200_000)...(.seconds(7200)))), $1)]
        },
        on(\.processes, "clock drift") {
            [.clock(.drift(nanosecondsPerSecond: $0.index(below: 200_000) - 100_000), $1)]
        },
    ]

    /// Faults of disks that a sound service survives without loss.
    public static let disks: [Source] = [
        on(\.disks, "failing reads") { [.disk(.fail(reads: $0.share(oneIn: 1...8), writes: .zero, syncs: .zero), $1)] },
        on(\.disks, "failing writes") {
            [.disk(.fail(reads: .zero, writes: $0.share(oneIn: 2...20), syncs: .zero), $1)]
        },
        on(\.disks, "failing syncs") { [.disk(.fail(reads: .zero, writes: .zero, syncs: $0.share(oneIn: 1...8)), $1)] },
        on(\.disks, "full disk") { [.disk(.fill(free: $0.index(below: 12_000)), $1)] },
        on(\.disks, "slow disk") {
            let syncs = $0.duration(in: .milliseconds(1)...(.seconds(3)))
            let isSlow = $0.index(below: 3) == 0
            let operations = isSlow ? $0.duration(in: .milliseconds(1)...(.milliseconds(20))) : .zero
            return [.disk(.slow(syncs: syncs, operations: operations), $1)]
        },
    ]

    /// What no service survives alone: disks that lose what was synced, and streams with holes, as TCP never has them.
    public static let losses: [Source] = [
        link("corrupted streams") {
            .toxic(Toxic("holes", .packetLoss(rate: $0.share(oneIn: 5...50), correlation: .zero)))
        },
        on(\.disks, "lying syncs") { [.disk(.lie($0.share(oneIn: 1...10)), $1)] },
        on(\.disks, "bit rot") { [.disk(.rot(bits: 1 + $0.index(below: 20)), $1)] },
        on(\.disks, "lost disk") { [.disk(.lose, $1)] },
    ]

    /// Two who talk to each other, where it is known who does; one in four is any machine, and all others or another.
    private static func route(_ random: inout RandomStream, _ names: DeploymentNames) -> FaultRoute? {
        let direction: FaultRoute.Direction =
            random.index(below: 2) == 0 ? .both : random.index(below: 2) == 0 ? .outbound : .inbound
        if random.index(below: 4) > 0, let route = random.pick(names.routes) {
            return FaultRoute(FaultTarget(route.client), FaultTarget(route.server), direction)
        }
        guard let target = random.pick(names.hosts) else { return nil }
        let other = random.index(below: 4) == 0 ? random.pick(names.hosts.filter { $0 != target }) : nil
        return FaultRoute(FaultTarget(target), other.map { FaultTarget($0) } ?? .everybody, direction)
    }

    private static func listener(
        _ name: String, fault: @escaping @Sendable (inout RandomStream) -> ListenerFault
    ) -> Source {
        Source(name) { random, names in
            let servers = names.routes.map(\.server)
            guard let server = random.pick(servers.isEmpty ? names.hosts : servers) else { return [] }
            let target = FaultTarget(server)
            return [.listener(fault(&random), target), .link(.reset, FaultRoute(target))]
        }
    }

    private static func link(
        _ name: String, weight: Int = 1, fault: @escaping @Sendable (inout RandomStream) -> LinkFault
    ) -> Source {
        Source(name, weight: weight) { random, names in
            guard let route = route(&random, names) else { return [] }
            return [.link(fault(&random), route)]
        }
    }

    private static func on(
        _ whom: @escaping @Sendable (DeploymentNames) -> [String], _ name: String, weight: Int = 1,
        faults: @escaping @Sendable (inout RandomStream, FaultTarget) -> [Fault]
    ) -> Source {
        Source(name, weight: weight) { random, names in
            random.pick(whom(names)).map { faults(&random, FaultTarget($0)) } ?? []
        }
    }

    private static func down(_ random: inout RandomStream) -> Duration {
        random.duration(in: .milliseconds(100)...(.seconds(30)))
    }

    private static func outcome(_ random: inout RandomStream) -> PowerLossOutcome? {
        random.index(below: 2) == 0 ? nil : random.pick(PowerLossOutcome.allCases)
    }

    private static func toxic(_ random: inout RandomStream) -> Toxic {
        func milliseconds(_ random: inout RandomStream, _ last: Int) -> Duration {
            .milliseconds(Int64(random.index(below: last + 1)))
        }
        let kind: Toxic.Kind
        switch random.index(below: 7) {
        case 0: kind = .latency(latency: milliseconds(&random, 3000), jitter: milliseconds(&random, 500))
        case 1: kind = .bandwidth(bytesPerSecond: 1000 * UInt64(1 + random.index(below: 50)))
        case 2: kind = .slowClose(delay: milliseconds(&random, 5000))
        case 3: kind = .timeout(milliseconds(&random, 8000))
        case 4: kind = .resetPeer(after: milliseconds(&random, 3000))
        case 5:
            let size = 1 + random.index(below: 400)
            kind = .slicer(
                averageSize: size, sizeVariation: random.index(below: size),
                delay: .microseconds(random.index(below: 5000)))
        default: kind = .limitData(bytes: UInt64(random.index(below: 20_000)))
        }
        let share = random.index(below: 2) == 0 ? Ratio.one : random.share(oneIn: 2...4)
        return Toxic("storm", kind, toxicity: share)
    }
}
