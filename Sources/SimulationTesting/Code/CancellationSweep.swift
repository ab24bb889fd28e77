public import SimulationKernel

/// Cancels a task at each of its suspensions, one run for each, and looks at what is left behind.
///
/// The first run counts how often the task comes to wait; then it is cancelled before it begins, at its first suspension, at its
/// second, and so on. In every run it must end soon after, leave no task behind, and pass the test's own checks.
public struct CancellationSweep {
    /// How a sweep goes.
    public struct Options: Sendable {
        /// The one suspension at which the task is cancelled, to repeat a finding; nil tries all, 0 is before it begins.
        public var suspension: Int?
        /// How long the task may take to end after it was cancelled, in virtual time.
        public var limit: Duration = .seconds(60)
        /// Whether tasks that are left behind are a failure.
        public var findsLeaks: Bool = true
        /// How each simulation goes.
        public var simulation: Simulation.Options = Simulation.Options()

        /// All suspensions; a minute to end; leaks are failures.
        public init() {}
    }

    /// Suspensions that are tried at most.
    public static let suspensionsMax: Int = 10_000

    private let test: TestIdentity
    private let seed: Seed
    private let options: Options
    private let body: (TaskUnderTest) async throws -> Void

    /// Prepares a sweep.
    ///
    /// - Parameters:
    ///   - test: The test that it belongs to.
    ///   - seed: What all runs follow from.
    ///   - options: How it goes.
    ///   - body: A whole test, which runs one task with ``TaskUnderTest/callAsFunction(_:)``.
    public init(
        in test: TestIdentity, seed: Seed, options: Options = Options(),
        _ body: @escaping (TaskUnderTest) async throws -> Void
    ) {
        self.test = test
        self.seed = seed
        self.options = options
        self.body = body
    }

    /// Runs the body for each suspension.
    ///
    /// - Parameter report: Hears of each suspension whose cancellation does harm.
    /// - Returns: How often the task comes to wait when nobody cancels it.
    /// - Throws: `SimulationError` when simulations cannot run here.
    @discardableResult
    public func run(report: (SweepFinding) -> Void) throws -> Int {
        if let suspension = options.suspension {
            return try tryOne(suspension, report)
        }
        // What fails without any cancellation says nothing about cancellation.
        var isSound = true
        let count = try tryOne(nil) { finding in
            isSound = false
            report(finding)
        }
        guard isSound else { return count }
        for suspension in 0...min(count, Self.suspensionsMax) { _ = try tryOne(suspension, report) }
        return count
    }

    private func tryOne(_ suspension: Int?, _ report: (SweepFinding) -> Void) throws -> Int {
        let task = TaskUnderTest(cancelledAt: suspension, limit: options.limit)
        let moment =
            switch suspension {
            case nil: "not cancelled"
            case 0?: "cancelled before it began"
            case let number?: "cancelled at its suspension \(number)"
            }
        let (outcome, run) = try TestedRun.run(
            seed: seed, options: options.simulation, label: "seed \(seed), \(moment)"
        ) { simulation in
            task.simulation = simulation
            try await body(task)
            guard task.hasRun else {
                throw CancellationSweepError.noTask
            }
            let left = options.findsLeaks ? await leaks() : []
            guard !left.isEmpty else { return }
            let text = (["\(left.count) task(s) are left behind:"] + left.map { "  \($0)" }).joined(separator: "\n")
            TestedRun.current?.fail(TrialFailure(text))
        }
        let result = TrialOutcome(outcome, run)
        if !result.holds {
            report(finding(result, suspension, moment + (task.place.map { ", in \($0)" } ?? "")))
        }
        return task.suspensions
    }

    private func finding(_ outcome: TrialOutcome, _ suspension: Int?, _ moment: String) -> SweepFinding {
        let repeating = suspension.map { "repeat it alone: suspension: \($0), seed: \(seed)" }
        let lines =
            ["\(outcome.verdict): the task was \(moment)"]
            + outcome.failures.map(\.message) + [repeating].compactMap(\.self)
        return SweepFinding(
            message: lines.joined(separator: "\n"), location: outcome.failures.first?.location, outcome: outcome,
            evidence: [])
    }
}

/// Why a cancellation sweep shows nothing.
public enum CancellationSweepError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The body ran no task under test.
    case noTask

    /// What is wrong and what to do.
    public var description: String {
        "the body ran no task under test: call what it is given, as in `await task { try await download() }`"
    }
}

/// The task that a cancellation sweep cancels; it runs once in each run.
public final class TaskUnderTest {
    private let cancelledAt: Int?
    private let limit: Duration
    weak var simulation: Simulation?
    private(set) var hasRun: Bool = false
    private(set) var suspensions: Int = 0
    /// Where it waited when it was cancelled.
    private(set) var place: String?
    /// What happens if it has not ended in time.
    private var alarm: ScheduledEvent?

    init(cancelledAt: Int?, limit: Duration) {
        self.cancelledAt = cancelledAt
        self.limit = limit
    }

    /// Whether this run cancels it.
    public var isCancelled: Bool { cancelledAt != nil }

    /// Runs code as the task under test and waits until it has ended.
    ///
    /// - Parameter body: The code that is cancelled.
    /// - Returns: What it returned or threw.
    /// - Precondition: No task under test has run in this run.
    @discardableResult
    public func callAsFunction<Value>(
        _ body: @escaping () async throws -> Value
    ) async -> Result<Value, any Error> {
        guard let world = World.current, !hasRun else {
            preconditionFailure("a task under test runs once, within its cancellation sweep")
        }
        hasRun = true
        let code = UncheckedTransfer((task: self, body: body, world: world, box: ResultBox<Value>()))
        let task = Task(name: "task under test") {
            let (task, body, world, box) = code.value
            if task.cancelledAt == 0 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
            let watched = UncheckedTransfer(task)
            await withTaskCancellationHandler {
                world.countSuspensions(cancellingAt: task.cancelledAt)
                do {
                    box.result = .success(try await body())
                } catch {
                    box.result = .failure(error)
                }
                task.suspensions = world.suspensionCount
                world.endCountingSuspensions()
            } onCancel: {
                watched.value.noteCancelled()
            }
        }
        await task.value
        if let alarm { simulation?.cancel(alarm) }
        guard let result = code.value.box.result else { preconditionFailure("a task has ended without a result") }
        return result
    }

    /// It was cancelled: from now on it has so much time.
    private func noteCancelled() {
        guard let world = World.current, !world.isEnding, let simulation else { return }
        place = world.cancelledTask?.waitsIn.description
        let limit = limit
        alarm = simulation.schedule(after: limit) { [unowned simulation] _ in
            let own = world.watchedTask.map { "\($0)" } ?? "it"
            simulation.stop("\(limit) after it was cancelled it has not ended: \(own)")
        }
    }
}

/// What a task hands to the one who waits for it, on the same thread.
private final class ResultBox<Value> {
    var result: Result<Value, any Error>?
}
