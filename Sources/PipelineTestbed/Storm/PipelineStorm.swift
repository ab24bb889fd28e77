import Experiments
import Randomness
import SimulatedWorld
import SimulationKernel
import Testbed

/// The whole pipeline under faults that are drawn from a seed: whatever happens, what is claimed of it must hold, and when everything is healed
/// it must recover.
public struct PipelineStorm: Sendable {
    private let recipe: StormRecipe
    private let variant: Variant
    private let sabotage: DiskSabotage?

    /// Prepares a storm.
    ///
    /// - Parameters:
    ///   - recipe: The landscape and what goes wrong.
    ///   - variant: The pipeline as it is, or with a mistake that storms must find.
    public init(_ recipe: StormRecipe, variant: Variant = .asItIs) {
        self.init(recipe, variant: variant, sabotage: nil)
    }

    init(_ recipe: StormRecipe, variant: Variant, sabotage: DiskSabotage?) {
        self.recipe = recipe
        self.variant = variant
        self.sabotage = sabotage
    }

    /// Runs it, until its end or the first violation.
    ///
    /// - Returns: What came of it.
    /// - Throws: ``ScenarioError`` when the recipe has no scenario, ``SimulationError`` when simulations cannot run here.
    public func run() throws -> ScenarioRun.Result {
        guard var scenario = try Scenario(of: recipe.experiment), var persistence = scenario.persistence else {
            throw ScenarioError(problems: ["a storm needs a landscape with 'persistence'"])
        }
        variant.change(&persistence)
        persistence.disk.sabotage = sabotage
        scenario.persistence = persistence
        return try ScenarioRun(
            recipe.experiment, in: scenario, options: RunOptions(), stopsAtViolation: true
        ).run()
    }
}

extension ScenarioRun.Result {
    /// What is wrong with a storm; nil if nothing is.
    public var stormProblem: String? {
        if let violation = violations.first { return violation.description }
        if stopReason != .finished { return "the simulation \(stopReason)" }
        if let failure { return failure }
        return problems.first
    }
}
