/// A simulation was used in a way that cannot work.
public enum SimulationError: Error, Hashable, CustomStringConvertible {
    /// The simulation has been run; make a new one, with the same seed to repeat it.
    case alreadyRan
    /// A simulation runs on this thread already.
    case nestedRun
    /// As many simulations run in this process as there may.
    case tooManySimulations(limit: Int)
    /// An option has a value that cannot work; the text says which.
    case invalidOptions(String)
    /// Two hosts of one name.
    case duplicateHost(String)
    /// Two streams of one label would draw the same numbers.
    case duplicateStream(String)
    /// A sleep on the virtual clock ends before now; for a lenient clock take `ContinuousClock`.
    case sleepInThePast(deadline: VirtualInstant, now: VirtualInstant)
    /// Clocks, randomness or jobs cannot be made virtual here; the text says which part is missing.
    case unsupportedPlatform(String)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .alreadyRan: "this simulation has been run; make a new one, with the same seed to repeat it"
        case .nestedRun: "a simulation runs on this thread already; run the other one on a thread of its own"
        case .tooManySimulations(let limit): "\(limit) simulations run in this process, which is the limit"
        case .invalidOptions(let problem): "invalid options: \(problem)"
        case .duplicateHost(let name): "there is a host named '\(name)' already"
        case .duplicateStream(let label):
            "a stream '\(label)' is open already; a second one would draw the same numbers"
        case .sleepInThePast(let deadline, let now):
            "a sleep until \(deadline) began at \(now); ContinuousClock would return at once"
        case .unsupportedPlatform(let problem): "simulations cannot run here: \(problem)"
        }
    }
}
