import Documents
import Durations
import Experiments
import MeasurementServer
import Pipeline
import Randomness
import SimulatedTestbed
import SimulatedWorld
import Testbed

/// Tells each second, or each few seconds of a long run, how the landscape does: what reports draw.
///
/// It looks at what happened and asks nobody, so that a run with samples is the run without them.
final class SampleRecorder {
    private let pipeline: SimulatedPipeline
    private let emit: (Value.Object) -> Void
    private let flats: [String]
    private var index: [String: Int] = [:]
    private let messages: MessageRing
    /// Seconds that a sample stands for.
    private let secondsPerSample: Int

    /// Samples of a run at most, about: those of a long one stand for several seconds each.
    private static let samplesMax: Int = 1200
    /// Flats up to which each has a state of its own in a sample.
    static let flatsMax: Int = 50

    /// A moment that deserves a look.
    private struct Subject {
        let at: Duration
        let about: String
        let entities: [String]
        let isViolation: Bool
    }

    /// How a flat does, the better before the worse.
    private enum FlatState: UInt8, Comparable, CaseIterable {
        case fetched = 46
        case failing = 102
        case open = 111
        case beyond = 120

        static func < (left: FlatState, right: FlatState) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    // What has happened since the last sample.
    private var seconds: Int = 0
    private var states: [FlatState] = []
    private var worst: [FlatState] = []
    private var ages: [Scenario.AgeKind: UInt64] = [:]
    private var succeeded: Int = 0
    private var failed: Int = 0
    private var latencies: [Int64] = []
    private var allLatencies: [Int64] = []
    private var outbox: Int = 0
    private var ends: [TopicPartition: Int64] = [:]
    private var offsets: [TopicPartition: Int64] = [:]
    private var open: Set<Int> = []
    /// What the messages are shown around, and when: the first violation, or the first test that was not met.
    private var subject: Subject?
    /// The messages around the first test that was not met, in case that nothing is violated.
    private var unmet: Value.Object?
    private var areMessagesTold: Bool = false
    private var isOver: Bool = false

    init(_ pipeline: SimulatedPipeline, emit: @escaping (Value.Object) -> Void) {
        self.pipeline = pipeline
        self.emit = emit
        let scenario = pipeline.scenario
        flats = MeasurementServer.flatNames(scenario.flats)
        for (number, flat) in flats.enumerated() { index[flat] = number }
        states = Array(repeating: .fetched, count: flats.count)
        worst = states
        let seconds = Int((scenario.duration - scenario.warmUp).inSeconds)
        secondsPerSample = max(1, (seconds + Self.samplesMax - 1) / Self.samplesMax)
        messages = MessageRing()
        pipeline.deployment.network.watchPackets { [messages] in messages.note($0) }
        pipeline.deployment.log.listen { [weak self] in self?.hear($0) }
    }

    /// Tells what the run is a run of.
    func begin() {
        let scenario = pipeline.scenario
        emit([
            "event": "landscape", "at": .seconds(pipeline.deployment.elapsed), "flats": .integer(flats.count),
            "named_flats": .array(flats.prefix(Self.flatsMax).map { .string($0) }),
            "seed": Int(exactly: scenario.seed.value).map(Value.integer) ?? .string("\(scenario.seed.value)"),
            "profile": .string(scenario.baseProfile.name), "interval": .seconds(scenario.profile.interval),
            "keeps_readings": .bool(scenario.persistence != nil),
            "warm_up": .seconds(scenario.warmUp), "duration": .seconds(scenario.duration),
            "seconds_per_sample": .integer(secondsPerSample),
            "bound": [
                "age": .string(scenario.bound.age.rawValue), "seconds": .real(scenario.bound.seconds),
                "binds": .bool(scenario.bound.binds), "settle": .seconds(scenario.bound.settle),
            ],
            "services": .array(
                pipeline.deployment.processes.map { ["name": .string($0.name), "node": .string($0.node.rawValue)] }),
        ])
    }

    // MARK: Hearing

    private func hear(_ event: TestbedEvent) {
        switch event.kind {
        case .violated(let violation):
            guard subject?.isViolation != true else { return }
            subject = Subject(
                at: event.time, about: "\(violation.invariant): \(violation.message)", entities: violation.entities,
                isViolation: true)
        case .observed(let observation as PipelineObservation, _): hear(observation)
        default: break
        }
    }

    private func hear(_ observation: PipelineObservation) {
        switch observation {
        case .gauge(.outboxWaiting(let count)): outbox = count
        case .gauge(.logEnd(let partition, let end)):
            if partition.topic == pipeline.scenario.persistence?.topic.name { ends[partition] = end }
        case .gauge(.committed(let group, let partition, let offset)):
            if group == Ingester.group { offsets[partition] = offset }
        case .poller(let event): hear(event)
        case .read, .acknowledged, .schedule: break
        }
    }

    private func hear(_ event: PollerEvent) {
        switch event {
        case .requestEnded(let flat, let after, let isSuccess):
            if isSuccess { succeeded += 1 } else { failed += 1 }
            latencies.append(after.milliseconds)
            guard let number = index[flat] else { return }
            if isSuccess {
                open.remove(number)
                set(.fetched, of: number)
            } else if states[number] < .open {
                set(.failing, of: number)
            }
        case .breakerOpened(let flat):
            guard let number = index[flat] else { return }
            open.insert(number)
            set(.open, of: number)
        default: break
        }
    }

    private func set(_ state: FlatState, of number: Int) {
        states[number] = state
        worst[number] = max(worst[number], state)
    }

    /// Hears of the experiment: the first test that was not met is what there is to be looked at if nothing is violated.
    func hear(_ event: RunEvent) {
        guard case .hypothesisEnded(let test, let result) = event, !result.isMet, subject == nil else { return }
        subject = Subject(
            at: pipeline.deployment.elapsed, about: "not met: \(test.title)", entities: [], isViolation: false)
    }

    // MARK: Telling

    /// The warm-up is over: requests before it are not counted.
    func start() {
        (succeeded, failed) = (0, 0)
        latencies = []
        worst = states
    }

    /// Takes a sample; called each second.
    func sample() {
        seconds += 1
        for (kind, age) in pipeline.ages.latest { ages[kind] = max(ages[kind] ?? 0, age.nanoseconds) }
        let limit = UInt64(max(0, pipeline.scenario.bound.seconds) * 1e9)
        for (number, age) in pipeline.ages.agesOfFlats.enumerated() where age > limit { worst[number] = .beyond }
        if seconds >= secondsPerSample { tell() }
        if let subject, pipeline.deployment.elapsed - subject.at >= MessageRing.after {
            // A violation goes before a test that was not met, and may still come.
            if subject.isViolation { tellMessages() } else if unmet == nil { unmet = messagesAround(subject) }
        }
    }

    /// The run is over: tells what is left to be told.
    func end() {
        guard !isOver else { return }
        isOver = true
        if seconds > 0 { tell() }
        tellMessages()
        allLatencies.sort()
        guard !allLatencies.isEmpty else { return }
        var object: Value.Object = ["event": "latency", "requests": .integer(allLatencies.count)]
        for percent in [50, 75, 90, 95, 99, 100] {
            object["p\(percent)"] = Percentile.of(percent, sorted: allLatencies).map { .integer(Int($0)) } ?? .null
        }
        emit(object)
    }

    private func tell() {
        var object: Value.Object = ["event": "sample", "at": .real(Self.milli(pipeline.deployment.elapsed))]
        object["ages"] = .array(
            Scenario.AgeKind.allCases.map { .real(Double((ages[$0] ?? 0) / 100_000_000) / 10) })
        if flats.count <= Self.flatsMax {
            object["flats"] = .string(String(decoding: worst.map(\.rawValue), as: UTF8.self))
        } else {
            object["states"] = .array(
                FlatState.allCases.map { state in .integer(worst.count { $0 == state }) })
        }
        object["requests"] = [.integer(succeeded), .integer(failed)]
        if !latencies.isEmpty {
            latencies.sort()
            object["latency"] = .array(
                [50, 95, 100].map { .integer(Int(Percentile.of($0, sorted: latencies) ?? 0)) })
            // Of a very long run the percentiles are those of its first million requests.
            if allLatencies.count < 1_000_000 { allLatencies += latencies }
        }
        object["open"] = .integer(open.count)
        if pipeline.scenario.persistence != nil {
            object["outbox"] = .integer(outbox)
            object["lag"] = .integer(Int(ends.reduce(0) { $0 + max(0, $1.value - (offsets[$1.key] ?? 0)) }))
        }
        emit(object)
        seconds = 0
        ages = [:]
        (succeeded, failed) = (0, 0)
        latencies.removeAll(keepingCapacity: true)
        worst = states
    }

    private func messagesAround(_ subject: Subject) -> Value.Object? {
        messages.document(around: subject.at, about: subject.about, entities: subject.entities)
    }

    /// Tells the messages once.
    private func tellMessages() {
        guard let subject, !areMessagesTold else { return }
        areMessagesTold = true
        if let object = subject.isViolation ? messagesAround(subject) : unmet ?? messagesAround(subject) {
            emit(object)
        }
        messages.close()
    }

    private static func milli(_ duration: Duration) -> Double { Double(duration.milliseconds) / 1000 }
}
