import Experiments

/// Something that experiments do with a simulated landscape, as a function of a module of our own: `windkanal.network.cut` and others.
public struct LandscapeActivity: Sendable {
    /// A value that an activity is given.
    public struct Argument: Sendable {
        /// What may be said.
        enum Kind: Sendable {
            /// The name of a machine whose service and disk faults may hit.
            case service
            /// The name of any machine.
            case machine
            /// The same, or null for all others.
            case otherMachine
            case seconds
            case secondsOrNull
            case bytes
            case ratio
        }

        /// Its name.
        public let name: String
        /// What it says.
        public let meaning: String
        /// Whether it may be left out.
        public let isOptional: Bool
        let kind: Kind
    }

    /// The module.
    public let module: String
    /// The function in it.
    public let function: String
    /// Whether it only looks.
    public let isProbe: Bool
    /// What it does.
    public let summary: String
    /// What it is given.
    public let arguments: [Argument]
    /// What it gives back.
    let output: OutputKind

    /// Every activity, by module and function.
    public static let all: [LandscapeActivity] = [
        action("windkanal.network", "cut", "Cuts a machine off, or two machines from each other.", [machine, other]),
        action("windkanal.network", "heal", "Takes cuts and slowness of a machine back.", [machine, other]),
        action(
            "windkanal.network", "slow", "Makes all links of a machine, or those between two, slow.",
            [machine, required("seconds", "what each packet takes more, one way", .seconds), other]),
        action(
            "windkanal.service", "crash", "Kills a service's process; its machine and disk stay.",
            [
                service,
                optional("down", "seconds until it is started again: 2, or null for never by itself", .secondsOrNull),
            ]),
        action(
            "windkanal.service", "cut_power",
            "Takes the power from a service's machine: what was not synced may be lost.",
            [
                service,
                optional("down", "seconds until it is started again: 2, or null for never by itself", .secondsOrNull),
            ]),
        action("windkanal.service", "start", "Starts a service that is down.", [service]),
        action(
            "windkanal.disk", "fail", "Lets a disk's operations fail now and then.",
            [service, ratio("reads"), ratio("writes"), ratio("syncs")]),
        action(
            "windkanal.disk", "fill", "Leaves a disk so many bytes of room.",
            [service, optional("free", "bytes that still fit: 0", .bytes)]),
        action(
            "windkanal.disk", "slow", "Lets each sync of a disk take time.",
            [service, required("seconds", "what each sync takes", .seconds)]),
        action("windkanal.disk", "lose", "Starts a service with an empty disk in place of its own.", [service]),
        action("windkanal.disk", "heal", "Takes back what was done to a disk, but for what is lost.", [service]),
        probe("windkanal.service", "is_up", "Whether a service runs.", [service], .truth),
        probe("windkanal.ledger", "lost", "How many acknowledged readings are nowhere any more.", [], .number),
        probe(
            "windkanal.ledger", "pending", "How many acknowledged readings are on their way on some disk.", [], .number),
        probe("windkanal.ledger", "stored", "How many acknowledged readings are in the storage.", [], .number),
        probe(
            "windkanal.ledger", "not_kept",
            "How many readings were read, could not be kept, and are no longer shown by the server.", [], .number),
        probe("windkanal.ledger", "audit", "What became of all readings.", [], .object),
    ]

    private static let service: Argument = required("service", "poller, broker, ingester or storage", .service)
    private static let machine: Argument = required(
        "service", "a machine: poller, broker, ingester, storage, gateway, measurement-server or experimenter", .machine
    )
    private static let other: Argument = optional("other", "the other machine: all others", .otherMachine)

    private static func required(_ name: String, _ meaning: String, _ kind: Argument.Kind) -> Argument {
        Argument(name: name, meaning: meaning, isOptional: false, kind: kind)
    }

    private static func optional(_ name: String, _ meaning: String, _ kind: Argument.Kind) -> Argument {
        Argument(name: name, meaning: meaning, isOptional: true, kind: kind)
    }

    private static func ratio(_ name: String) -> Argument {
        optional(name, "how often \(name) fail, from 0 to 1: 0", .ratio)
    }

    private static func action(
        _ module: String, _ function: String, _ summary: String, _ arguments: [Argument]
    ) -> LandscapeActivity {
        LandscapeActivity(
            module: module, function: function, isProbe: false, summary: summary, arguments: arguments,
            output: .truth)
    }

    private static func probe(
        _ module: String, _ function: String, _ summary: String, _ arguments: [Argument], _ output: OutputKind
    ) -> LandscapeActivity {
        LandscapeActivity(
            module: module, function: function, isProbe: true, summary: summary, arguments: arguments, output: output)
    }

    /// The activity of a name; nil if there is none.
    public static func named(_ module: String, _ function: String) -> LandscapeActivity? {
        all.first { $0.module == module && $0.function == function }
    }
}
