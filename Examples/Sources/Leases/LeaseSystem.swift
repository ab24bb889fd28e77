public import SimulatedTestbed

/// A mistake that the lock's services can have.
public enum Mistake: String, Sendable, CaseIterable {
    /// A worker looks at the wall clock to see whether its lease is over; a clock that is set back makes it longer.
    case judgesByTheWallClock = "judges-by-the-wall-clock"
    /// The lock answers before its disk has what it says; without power it forgets whom it granted.
    case answersBeforeItSyncs = "answers-before-it-syncs"
}

/// A lock and two workers, each on a node of its own with clock, power and (the lock) a disk.
public struct LeaseSystem: Sendable {
    /// The services and where they run.
    public let deployment: Deployment

    /// Makes the system, with or without a mistake.
    public init(_ mistake: Mistake? = nil) {
        var deployment = Deployment()
        deployment.add(Lock.service(mistake))
        deployment.add(Worker.service(mistake), replicas: 2)
        self.deployment = deployment
    }

    /// Draws what goes wrong: links, processes and clocks, for most of a minute.
    public func schedule(seed: Seed) -> FaultSchedule {
        var options = Nemesis.Options()
        options.duration = .seconds(50)
        options.quiet = .seconds(5)
        options.interval = .seconds(1)...(.seconds(10))
        options.span = .milliseconds(500)...(.seconds(20))
        let sources = Nemesis.network + Nemesis.processes + Nemesis.clocks
        let nemesis = Nemesis(against: deployment.names, sources: sources, options: options)
        var random = RandomStream(seed: seed).fork("nemesis")
        return nemesis.schedule(&random)
    }

    /// Runs it from a seed under the seed's schedule, or under one that was kept.
    public func run(seed: Seed, schedule: FaultSchedule? = nil) throws -> SimulatedRun.Result {
        var options = SimulatedRun.Options()
        options.duration = .seconds(60)
        options.recovery = .seconds(30)
        let schedule = schedule ?? self.schedule(seed: seed)
        return try SimulatedRun(deployment, seed: seed, options: options, schedule: schedule).run { _ in
            let oneAtATime = OneAtATime()
            // A lease must have run out before somebody else gets the lock.
            let works = Eventually("somebody works", within: .seconds(20)) {
                oneAtATime.piecesSinceHealing > 0 ? nil : InvariantFinding("nobody has worked since")
            }
            return [oneAtATime, works]
        }
    }
}
