import Documents
public import Randomness

// Fault model: SimulatedWorld/Network/Link.swift has what a link may do, and Toxics/ what happens to the byte streams that cross it.

/// Something that is wrong with a link.
public enum LinkFault: Hashable, Sendable {
    /// Everything that is sent is lost.
    case cut
    /// Everything that is sent waits until the fault is taken back.
    case hold
    /// Each packet takes so much longer, one way, and up to `jitter` more.
    case slow(by: Duration, jitter: Duration)
    /// Packets are lost, and sent again by TCP.
    case lose(Ratio)
    /// So many bytes leave each second.
    case limit(bytesPerSecond: Int)
    /// Something happens to the byte streams that cross it.
    case toxic(Toxic)
    /// The connections that there are are reset, once.
    case reset
}

extension LinkFault {
    var kind: String {
        switch self {
        case .cut: "network.cut"
        case .hold: "network.hold"
        case .slow: "network.slow"
        case .lose: "network.lose"
        case .limit: "network.limit"
        case .toxic: "network.toxic"
        case .reset: "network.reset"
        }
    }

    var arguments: Value.Object {
        switch self {
        case .cut, .hold, .reset: [:]
        case .slow(let time, .zero): ["seconds": .seconds(time)]
        case .slow(let time, let jitter): ["seconds": .seconds(time), "jitter": .seconds(jitter)]
        case .lose(let ratio): ["share": .ratio(ratio)]
        case .limit(let bytes): ["bytes_per_second": .integer(bytes)]
        case .toxic(let toxic): ["toxic": .object(toxic.document)]
        }
    }

    static let definitions: [FaultDefinition] = [
        definition("network.cut", "Cuts a machine off, or two machines from each other.") { _ in .cut },
        definition("network.hold", "Keeps what machines send each other until the fault is taken back.") { _ in .hold },
        definition(
            "network.slow", "Makes all links of a machine, or those between two, slow.",
            [
                .required("seconds", "what each packet takes more, one way", .seconds),
                .optional("jitter", "up to so many seconds on top, at random: 0", .seconds),
            ]
        ) { .slow(by: $0.duration("seconds"), jitter: $0.duration("jitter")) },
        definition(
            "network.lose", "Loses packets now and then; TCP sends them again.",
            [.required("share", "how often, from 0 to 1", .ratio)]
        ) { .lose($0.ratio("share")) },
        definition(
            "network.limit", "Lets so many bytes a second through.",
            [.required("bytes_per_second", "bytes that leave each second", .count(1...Parameter.bytesMax))]
        ) { .limit(bytesPerSecond: $0.count("bytes_per_second") ?? 1) },
        definition(
            "network.toxic", "Lets a toxic, as Toxiproxy has them, act on what crosses the links.",
            [.required("toxic", "type, and optionally name, toxicity and attributes, as Toxiproxy has them", .object)]
        ) { arguments throws(FaultError) in .toxic(try Toxic(arguments.values["toxic"]?.object ?? [:])) },
        definition("network.reset", "Resets the connections that there are.", [], .momentary) { _ in .reset },
    ]

    private static func definition(
        _ name: String, _ summary: String, _ parameters: [Parameter] = [], _ life: FaultDefinition.Life = .lasting,
        make: @escaping @Sendable (FaultArguments) throws(FaultError) -> LinkFault
    ) -> FaultDefinition {
        // The order in which they have always been told: the machine, how much, the other.
        let all = [FaultRoute.service] + parameters + [FaultRoute.other, FaultRoute.direction]
        return FaultDefinition(name, summary, all, life) { arguments throws(FaultError) in
            let fault = try make(arguments)
            return .link(fault, try FaultRoute(arguments))
        }
    }
}

extension FaultRoute {
    static let service: Parameter = .required("service", "a machine, by its name or its service's", .host)
    static let other: Parameter = .optional("other", "the other machine: all others", .host)
    static let direction: Parameter = .optional(
        "direction", "both, outbound (what it sends) or inbound (what it gets): both",
        .choice(Direction.allCases.map(\.rawValue)))

    init(_ arguments: FaultArguments) throws(FaultError) {
        self.init(
            arguments.target("service"), arguments.target("other"),
            arguments.string("direction").flatMap(Direction.init) ?? .both)
        if target == other, target != .everybody {
            throw FaultError("the arguments 'service' and 'other' are the same machine, '\(target)'")
        }
    }

    var arguments: Value.Object {
        var arguments: Value.Object = ["service": .string(target.name)]
        if other != .everybody { arguments["other"] = .string(other.name) }
        if direction != .both { arguments["direction"] = .string(direction.rawValue) }
        return arguments
    }
}
