/// How a sweep goes; everything but its trial and its seeds.
public struct SweepOptions: Sendable {
    /// Rare paths that must be taken for at least one seed, besides those that the runs name themselves.
    public var sometimes: [String] = []
    /// Failing seeds after which the sweep ends: what is broken for all seeds need not be told a thousand times.
    public var failingSeedsMax: Int = 10
    /// How much real time it may take; nil sets no limit.
    public var budget: Duration?
    /// Where failing seeds and what is kept of them go; nil is `.windkanal` in the package of the test.
    public var folder: String?
    /// Whether failing seeds are kept, and played first next time.
    public var keepsFailures: Bool = true

    /// The standard: ten failing seeds, no limit of time, failures are kept.
    public init() {}

    /// The standard, with rare paths that must be taken.
    public init(sometimes: [String]) {
        self.sometimes = sometimes
    }
}
