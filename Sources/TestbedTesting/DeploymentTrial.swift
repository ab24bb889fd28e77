public import SimulatedTestbed
public import SimulatedWorld
@_exported public import SimulationTesting

/// A deployment under faults as a trial: it holds when no invariant is violated, every fault could be applied, and the run ended.
public struct DeploymentTrial: Trial {
    /// What is tried.
    public let name: String
    private let deployment: Deployment
    private let options: SimulatedRun.Options
    private let faults: (Seed) -> FaultSchedule
    private let handlers: [any CustomFaultHandler]
    private let invariants: (SimulatedDeployment) -> [any Invariant]
    private let driver: (@Sendable (SimulatedPorts) async throws -> Void)?

    /// Makes a trial of a deployment.
    ///
    /// - Parameters:
    ///   - name: What is tried, in a few words.
    ///   - deployment: The services and where they run.
    ///   - options: How each run goes.
    ///   - faults: What goes wrong for a seed; nothing if it is left out.
    ///   - handlers: Who does the deployment's own faults.
    ///   - driver: What is done to the services from outside while faults act.
    ///   - invariants: Makes what must be true.
    public init(
        _ name: String, _ deployment: Deployment, options: SimulatedRun.Options = SimulatedRun.Options(),
        faults: @escaping (Seed) -> FaultSchedule = { _ in FaultSchedule() }, handlers: [any CustomFaultHandler] = [],
        driver: (@Sendable (SimulatedPorts) async throws -> Void)? = nil,
        invariants: @escaping (SimulatedDeployment) -> [any Invariant]
    ) {
        self.name = name
        self.deployment = deployment
        self.options = options
        self.faults = faults
        self.handlers = handlers
        self.driver = driver
        self.invariants = invariants
    }

    /// Runs the deployment from a seed.
    ///
    /// - Throws: `DeploymentError`, `SimulationError` when simulations cannot run here, and what the driver throws.
    public func run(seed: Seed) throws -> TrialOutcome {
        let result = try SimulatedRun(
            deployment, seed: seed, options: options, schedule: faults(seed), handlers: handlers
        ).run(invariants: invariants, driver: driver)
        var failures = result.violations.map { TrialFailure($0.description) }
        failures += result.problems.map { TrialFailure("a fault could not be applied: \($0)") }
        if result.stopReason != .finished { failures.append(TrialFailure("\(result.stopReason)")) }
        let verdict =
            if !result.violations.isEmpty {
                "refuted"
            } else if result.stopReason != .finished {
                "stopped"
            } else {
                result.problems.isEmpty ? "held" : "inconclusive"
            }
        return TrialOutcome(
            seed: seed, verdict: verdict, holds: result.holds, digest: result.digest, virtualTime: result.virtualTime,
            failures: failures, impact: result.faults.map { "\($0.fault): \($0.impact)" },
            marks: result.marks.reduce(into: [:]) { $0[$1.key.name] = $1.value })
    }

    /// The schedule of the seed's faults, which `FaultSchedule(lines:)` reads back.
    public func evidence(of outcome: TrialOutcome) throws -> [Evidence] {
        [Evidence("faults.txt", "\(faults(outcome.seed))\n")]
    }
}

extension Trial where Self == DeploymentTrial {
    /// A deployment under faults.
    ///
    /// - Parameters:
    ///   - name: What is tried, in a few words.
    ///   - deployment: The services and where they run.
    ///   - options: How each run goes.
    ///   - faults: What goes wrong for a seed; nothing if it is left out.
    ///   - handlers: Who does the deployment's own faults.
    ///   - driver: What is done to the services from outside while faults act.
    ///   - invariants: Makes what must be true.
    /// - Returns: The trial.
    public static func deployment(
        _ name: String, _ deployment: Deployment, options: SimulatedRun.Options = SimulatedRun.Options(),
        faults: @escaping (Seed) -> FaultSchedule = { _ in FaultSchedule() }, handlers: [any CustomFaultHandler] = [],
        driver: (@Sendable (SimulatedPorts) async throws -> Void)? = nil,
        invariants: @escaping (SimulatedDeployment) -> [any Invariant]
    ) -> DeploymentTrial {
        DeploymentTrial(
            name, deployment, options: options, faults: faults, handlers: handlers, driver: driver,
            invariants: invariants)
    }
}
