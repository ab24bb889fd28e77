/// Something that experiments do with a simulated landscape, as a function of a module of our own: `windkanal.network.cut` and others.
public struct LandscapeActivity: Sendable {
    /// A value that an activity is given.
    public struct Argument: Sendable {
        /// Its name.
        public let name: String
        /// What it says.
        public let meaning: String
        /// Whether it may be left out.
        public let isOptional: Bool
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

    /// Every activity, by module and function.
    public static let all: [LandscapeActivity] = [
        action("windkanal.network", "cut", "Cuts a machine off, or two machines from each other.", [service, other]),
        action("windkanal.network", "heal", "Takes cuts and slowness of a machine back.", [service, other]),
        action(
            "windkanal.network", "slow", "Makes all links of a machine, or those between two, slow.",
            [service, required("seconds", "what each packet takes more, one way"), other]),
        action(
            "windkanal.service", "crash", "Kills a service's process; its machine and disk stay.",
            [service, optional("down", "seconds until it is started again: 2, or null for never by itself")]),
        action(
            "windkanal.service", "cut_power",
            "Takes the power from a service's machine: what was not synced may be lost.",
            [service, optional("down", "seconds until it is started again: 2, or null for never by itself")]),
        action("windkanal.service", "start", "Starts a service that is down.", [service]),
        action(
            "windkanal.disk", "fail", "Lets a disk's operations fail now and then.",
            [service, ratio("reads"), ratio("writes"), ratio("syncs")]),
        action(
            "windkanal.disk", "fill", "Leaves a disk so many bytes of room.",
            [service, optional("free", "bytes that still fit: 0")]),
        action(
            "windkanal.disk", "slow", "Lets each sync of a disk take time.",
            [service, required("seconds", "what each sync takes")]),
        action("windkanal.disk", "lose", "Starts a service with an empty disk in place of its own.", [service]),
        action("windkanal.disk", "heal", "Takes back what was done to a disk, but for what is lost.", [service]),
        probe("windkanal.service", "is_up", "Whether a service runs.", [service]),
        probe("windkanal.ledger", "lost", "How many acknowledged readings are nowhere any more.", []),
        probe("windkanal.ledger", "pending", "How many acknowledged readings are on their way on some disk.", []),
        probe("windkanal.ledger", "stored", "How many acknowledged readings are in the storage.", []),
        probe("windkanal.ledger", "audit", "What became of all readings.", []),
    ]

    private static let service: Argument = required("service", "poller, broker, ingester or storage")
    private static let other: Argument = optional("other", "the other machine: all others")

    private static func required(_ name: String, _ meaning: String) -> Argument {
        Argument(name: name, meaning: meaning, isOptional: false)
    }

    private static func optional(_ name: String, _ meaning: String) -> Argument {
        Argument(name: name, meaning: meaning, isOptional: true)
    }

    private static func ratio(_ name: String) -> Argument { optional(name, "how often \(name) fail, from 0 to 1: 0") }

    private static func action(
        _ module: String, _ function: String, _ summary: String, _ arguments: [Argument]
    ) -> LandscapeActivity {
        LandscapeActivity(
            module: module, function: function, isProbe: false, summary: summary, arguments: arguments)
    }

    private static func probe(
        _ module: String, _ function: String, _ summary: String, _ arguments: [Argument]
    ) -> LandscapeActivity {
        LandscapeActivity(module: module, function: function, isProbe: true, summary: summary, arguments: arguments)
    }

    /// The activity of a name; nil if there is none.
    public static func named(_ module: String, _ function: String) -> LandscapeActivity? {
        all.first { $0.module == module && $0.function == function }
    }

    /// What is wrong with a call of it; nil if nothing is.
    func problem(of arguments: [String]) -> String? {
        let known = self.arguments.map(\.name)
        if let unknown = arguments.first(where: { !known.contains($0) }) {
            return
                "\(module).\(function) has no argument '\(unknown)'; it has \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        }
        if let missing = self.arguments.first(where: { !$0.isOptional && !arguments.contains($0.name) }) {
            return "\(module).\(function) needs the argument '\(missing.name)': \(missing.meaning)"
        }
        return nil
    }
}
