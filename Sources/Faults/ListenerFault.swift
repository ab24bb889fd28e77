import Documents

/// Something that is wrong with how a host accepts connections, or is found by its name.
public enum ListenerFault: Hashable, Sendable {
    /// Connection attempts are refused although somebody listens.
    case refuse
    /// Connection attempts vanish.
    case blackHole
    /// Connections are accepted late.
    case acceptLate(by: Duration)
    /// The resolver does not know its name.
    case unresolvable
}

extension ListenerFault {
    var kind: String {
        switch self {
        case .refuse: "network.refuse"
        case .blackHole: "network.black_hole"
        case .acceptLate: "network.accept_late"
        case .unresolvable: "network.fail_dns"
        }
    }

    var arguments: Value.Object {
        switch self {
        case .refuse, .blackHole, .unresolvable: [:]
        case .acceptLate(let delay): ["seconds": .seconds(delay)]
        }
    }

    static let definitions: [FaultDefinition] = [
        definition("network.refuse", "Lets a machine refuse connections although somebody listens.") { _ in .refuse },
        definition("network.black_hole", "Lets attempts to connect to a machine vanish.") { _ in .blackHole },
        definition(
            "network.accept_late", "Lets a machine accept connections late.",
            [.required("seconds", "how late", .seconds)]
        ) { .acceptLate(by: $0.duration("seconds")) },
        definition("network.fail_dns", "Lets the resolver not know a machine.") { _ in .unresolvable },
    ]

    private static func definition(
        _ name: String, _ summary: String, _ parameters: [Parameter] = [],
        make: @escaping @Sendable (FaultArguments) -> ListenerFault
    ) -> FaultDefinition {
        FaultDefinition(name, summary, [FaultRoute.service] + parameters) { .listener(make($0), $0.target("service")) }
    }
}
