import Documents

/// When a hypothesis is tested.
public enum HypothesisStrategy: String, CaseIterable, Sendable {
    /// The hypothesis is tested before and after the method.
    case `default`
    /// The hypothesis is tested before the method alone.
    case beforeMethodOnly = "before-method-only"
    /// The hypothesis is tested after the method alone.
    case afterMethodOnly = "after-method-only"
    /// The hypothesis is tested during the method alone, again and again.
    case duringMethodOnly = "during-method-only"
    /// The hypothesis is tested before, during and after the method.
    case continuously
    /// The hypothesis is never tested.
    case skip

    /// The strategy of a name, the reference's old spelling among them.
    public init?(name: String) {
        self.init(rawValue: name == "continously" ? "continuously" : name)
    }

    var testsBefore: Bool { self == .default || self == .beforeMethodOnly || self == .continuously }
    var testsDuring: Bool { self == .duringMethodOnly || self == .continuously }
    var testsAfter: Bool { self == .default || self == .afterMethodOnly || self == .continuously }
}

/// When rollbacks are played.
public enum RollbackStrategy: String, CaseIterable, Sendable {
    /// Rollbacks are played unless the run failed or was interrupted.
    case `default`
    /// Rollbacks are played unless the run was interrupted ungracefully.
    case always
    /// Rollbacks are never played.
    case never
    /// Rollbacks are played if the system deviated from its steady state.
    case deviated
}

/// What a rehearsal leaves out.
public enum Dry: String, CaseIterable, Sendable {
    /// Actions are not performed.
    case actions
    /// Probes are not performed, and hypotheses count as met.
    case probes
    /// Neither actions nor probes are performed.
    case activities
    /// Pauses are skipped.
    case pause

    /// Whether activities of a kind are not performed.
    public func leavesOut(_ kind: ActivityKind) -> Bool {
        switch self {
        case .actions: kind == .action
        case .probes: kind == .probe
        case .activities: true
        case .pause: false
        }
    }

    /// Whether tolerances are not looked at.
    public var leavesOutProbes: Bool { self == .probes || self == .activities }
}

/// The strategies that settings, the experiment and the command line ask for together.
public struct Strategies: Hashable, Sendable {
    /// When hypotheses are tested.
    public var hypothesis: HypothesisStrategy = .default
    /// When rollbacks are played.
    public var rollbacks: RollbackStrategy = .default

    /// Makes the strategies of an experiment that asks for none.
    public init() {}

    /// Puts together what the settings' and the experiment's `runtime` say; the experiment's, where there is one, replaces both.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` for a hypothesis strategy that does not exist.
    static func read(settings: Value?, experiment: Value?) throws(ActivityError) -> Strategies {
        let runtime = experiment?.isTruthy == true ? experiment : settings
        var strategies = Strategies()
        if let name = runtime?["hypothesis"]?["strategy"], name.isTruthy {
            guard let text = name.string, let strategy = HypothesisStrategy(name: text) else {
                throw .unexpected("Unknown strategy: \(PythonText.str(name))")
            }
            strategies.hypothesis = strategy
        }
        if let name = runtime?["rollbacks"]?["strategy"], name.isTruthy {
            // The reference takes every other word for never.
            strategies.rollbacks = name.string.flatMap(RollbackStrategy.init) ?? .never
        }
        return strategies
    }
}
