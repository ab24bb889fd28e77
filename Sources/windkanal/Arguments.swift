public import ArgumentParser
public import Experiments

extension Dry: ExpressibleByArgument {}
extension RollbackStrategy: ExpressibleByArgument {}

extension HypothesisStrategy: ExpressibleByArgument {
    /// Reads a strategy as the command line spells it.
    public init?(argument: String) { self.init(name: argument) }
}
