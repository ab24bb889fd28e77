/// How far a run may go; each bound ends it with a named reason.
public struct Budget: Hashable, Sendable {
    /// Virtual time since the run's beginning.
    public var virtualTime: Duration
    /// World events and Swift jobs together.
    public var events: Int
    /// How much real time the run may take.
    public var wallTime: Duration

    /// A day of virtual time, a billion events, ten minutes of real time.
    public static let standard: Budget = Budget(
        virtualTime: .seconds(86_400), events: 1_000_000_000, wallTime: .seconds(600))

    /// Makes a budget from a limit for each.
    public init(
        virtualTime: Duration = Budget.standard.virtualTime,
        events: Int = Budget.standard.events,
        wallTime: Duration = Budget.standard.wallTime
    ) {
        self.virtualTime = virtualTime
        self.events = events
        self.wallTime = wallTime
    }

    /// What is wrong with the bounds, or nil.
    var validationError: String? {
        // Instants are 64 bits of nanoseconds; half of it leaves room for every deadline.
        let longest = Duration.nanoseconds(Int64.max / 2)
        if virtualTime <= .zero { return "the budget of virtual time is \(virtualTime); it must be above 0" }
        if virtualTime > longest { return "the budget of virtual time is \(virtualTime); at most \(longest) fit" }
        if events < 1 { return "the budget of events is \(events); it must be at least 1" }
        if wallTime <= .zero { return "the budget of real time is \(wallTime); it must be above 0" }
        if wallTime > longest { return "the budget of real time is \(wallTime); at most \(longest) fit" }
        return nil
    }
}
