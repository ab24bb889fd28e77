import Durations
import Faults
import Pipeline
import SimulatedTestbed
import Testbed

/// What a scenario claims, as invariants, and what is done after healing to find out.
final class PipelineClaims: @unchecked Sendable {
    let invariants: [any Invariant]
    /// The claims, for people.
    let names: [String]
    private let scenario: Scenario
    private let pipeline: SimulatedPipeline
    private let completeness: Completeness?

    /// How often disks are read while nothing but a bound is asked for.
    private static let auditInterval: Duration = .seconds(60)
    /// How often they are read while faults of a schedule act.
    private static let auditIntervalUnderFaults: Duration = .seconds(8)
    /// How long what was on its way may take after healing.
    static let arrivalMax: Duration = .seconds(120)
    /// How long it may take after healing until every flat was fetched, and how old a flat may be then.
    static let freshMax: Duration = .seconds(90)
    static let freshAge: Duration = .seconds(60)
    /// How long a reading that is shown may take to be acknowledged: so many intervals of the poller.
    static let intervalsMax: Int = 9
    /// How often services are asked while faults act.
    private static let askInterval: Duration = .seconds(6)
    /// How often something is asked for, when nothing is wrong any more, before it counts as not answered.
    private static let attemptsMax: Int = 10
    /// How long after healing the last that faults left behind may show.
    private static let calmAfter: Duration = .seconds(90)
    /// How long services may take to come back when all power was gone.
    private static let restartTime: Duration = .seconds(10)

    init(_ scenario: Scenario, _ pipeline: SimulatedPipeline) {
        self.scenario = scenario
        self.pipeline = pipeline
        let audit = { [unowned pipeline] in pipeline.audit() }
        var invariants: [any Invariant] = []
        if scenario.bound.binds {
            invariants.append(AgeBound(scenario.bound, settle: scenario.bound.settle, pipeline.ages))
        }
        let claims = scenario.claims
        if claims.contains(.nothingLost) || claims.contains(.nothingInvented) {
            let interval = scenario.faults.faults.isEmpty ? Self.auditInterval : Self.auditIntervalUnderFaults
            invariants.append(
                NoReadingLost(every: interval, mayLose: !claims.contains(.nothingLost), audit: audit))
        }
        if claims.contains(.arrival) {
            invariants.append(Arrival(within: Self.arrivalMax, audit: audit) { [unowned pipeline] in pipeline.down })
        }
        if claims.contains(.fresh) {
            invariants.append(FreshAgain(within: Self.freshMax, below: Self.freshAge, pipeline.ages))
        }
        if claims.contains(.measured), scenario.series == nil { invariants.append(Measured(scenario)) }
        if claims.contains(.once) {
            invariants.append(
                AppendedOnce(
                    every: Self.auditIntervalUnderFaults, log: { [unowned pipeline] in pipeline.log },
                    unnumbered: { [unowned pipeline] in pipeline.strangers?.attempts(for: $0) ?? 0 }))
        }
        if claims.contains(.retained), let retention = scenario.persistence?.retention {
            invariants.append(
                RecordsRetained(for: retention, every: Self.auditIntervalUnderFaults) { [unowned pipeline] in
                    pipeline.log
                })
        }
        if claims.contains(.calm) { invariants.append(NothingTwice(after: Self.calmAfter)) }
        if claims.contains(.resources) { invariants.append(ConnectionLimits(pipeline)) }
        completeness =
            claims.contains(.complete)
            ? Completeness(within: scenario.profile.interval * Self.intervalsMax, pipeline.ledger) : nil
        if let completeness { invariants.append(completeness) }
        self.invariants = invariants
        names =
            invariants.map(\.name) + (claims.contains(.answers) ? [AnswerCheck.claim] : [])
            + (claims.contains(.resources) ? [ResourceCheck.claim] : [])
            + (claims.contains(.durable) ? ["what was acknowledged survives that all power goes"] : [])
    }

    /// Asks the services while faults act, flat after flat, until the task is cancelled: what they answer must be true.
    func ask() async {
        let claims = scenario.claims
        guard claims.contains(.answers) || claims.contains(.resources),
            let client = try? await ServiceClient.make(pipeline, attemptsMax: 1)
        else { return }
        let (answers, resources) = (AnswerCheck(pipeline, client, mayFail: true), ResourceCheck(pipeline))
        var number = 0
        while !Task.isCancelled {
            if claims.contains(.resources) { try? await resources.look(client) }
            if claims.contains(.answers) { try? await answers.look(at: "SD\(number % scenario.flats)") }
            number += 1
            try? await Task.sleep(for: Self.askInterval)
        }
        await client.shutDown()
    }

    /// Lets the system recover, and looks whether it has.
    func recover(until end: ContinuousClock.Instant) async throws {
        guard let client = try await ServiceClient.make(pipeline, attemptsMax: Self.attemptsMax) else { return }
        let check = AnswerCheck(pipeline, client, mayFail: false)
        if let completeness {
            let shown = try await check.shown()
            completeness.expect(shown, at: pipeline.deployment.elapsed)
        }
        try await Task.sleep(until: end, clock: .continuous)
        if scenario.claims.contains(.answers) { try await check.run() }
        await client.shutDown()
        if scenario.claims.contains(.resources) { try await ResourceCheck(pipeline).run() }
        guard scenario.claims.contains(.durable) else { return }
        // What was acknowledged must survive the worst, at the end too.
        _ = try? pipeline.deployment.faults.apply(.process(.powerLoss(.now, down: .seconds(2)), .everybody))
        try await Task.sleep(for: Self.restartTime)
    }
}
