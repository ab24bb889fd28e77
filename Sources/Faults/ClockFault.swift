import Documents

/// Something that is wrong with a node's wall clock; taking it back sets the clock right.
public enum ClockFault: Hashable, Sendable {
    /// It jumps, forward or, when negative, back.
    case step(by: Duration)
    /// It gains, or, when negative, loses so many nanoseconds each second.
    case drift(nanosecondsPerSecond: Int)
}

extension ClockFault {
    /// The fastest drift: a tenth of a second each second.
    private static let driftMax: Int = 100_000_000

    var kind: String {
        switch self {
        case .step: "clock.step"
        case .drift: "clock.drift"
        }
    }

    var arguments: Value.Object {
        switch self {
        case .step(let offset): ["seconds": .seconds(offset)]
        case .drift(let drift): ["nanoseconds_per_second": .integer(drift)]
        }
    }

    private static let service: Parameter = .required("service", "a service, a replica of one, or a node", .process)

    static let definitions: [FaultDefinition] = [
        FaultDefinition(
            "clock.step", "Lets a machine's wall clock jump.",
            [service, .required("seconds", "how far: forward, or back when negative", .offset)]
        ) { .clock(.step(by: $0.duration("seconds")), $0.target("service")) },
        FaultDefinition(
            "clock.drift", "Lets a machine's wall clock run fast, or slow when negative.",
            [
                service,
                .required(
                    "nanoseconds_per_second", "what it gains each second", .count(-driftMax...driftMax)),
            ]
        ) { .clock(.drift(nanosecondsPerSecond: $0.count("nanoseconds_per_second") ?? 0), $0.target("service")) },
    ]
}
