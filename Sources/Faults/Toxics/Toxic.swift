public import Randomness

/// A fault of a byte stream, with Toxiproxy's names and meaning.
///
/// Source: Toxiproxy 2.12 as measured; where its behaviour is a defect, ours is the repaired one (docs/network.md).
public struct Toxic: Hashable, Sendable {
    /// What a toxic does; times are durations, sizes are bytes.
    ///
    /// Each kind stands in a file of its own with its behaviour, its attributes and what may be said of them.
    public struct Kind: Sendable {
        let behavior: any ToxicBehavior

        init(_ behavior: some ToxicBehavior) {
            self.behavior = behavior
        }
    }

    /// The kinds that there are, in the order in which they are told.
    static let kinds: [any ToxicBehavior.Type] = [
        NoopToxic.self, LatencyToxic.self, BandwidthToxic.self, SlowCloseToxic.self, TimeoutToxic.self,
        ResetPeerToxic.self, SlicerToxic.self, LimitDataToxic.self, LimitTimeToxic.self, PacketLossToxic.self,
    ]

    /// Its name, unique on the link.
    public let name: String
    /// What it does.
    public var kind: Kind
    /// The share of connections that it acts on.
    public var toxicity: Ratio

    /// Makes a toxic that acts on all connections, or on a share of them.
    public init(_ name: String, _ kind: Kind, toxicity: Ratio = .one) {
        self.name = name
        self.kind = kind
        self.toxicity = toxicity
    }

    /// What is wrong with it, or nil.
    public var validationError: String? {
        if toxicity.numerator > toxicity.denominator { return "the toxicity \(toxicity) of '\(name)' is above 1" }
        return kind.behavior.validationError(of: name)
    }
}

extension Toxic.Kind: Hashable {
    /// Whether two do the same.
    public static func == (left: Toxic.Kind, right: Toxic.Kind) -> Bool { left.behavior.isEqual(to: right.behavior) }

    /// Hashes what it does.
    public func hash(into hasher: inout Hasher) { behavior.hash(into: &hasher) }
}

extension Toxic.Kind: CustomStringConvertible, CustomDebugStringConvertible {
    /// What it does, as it is written in the source.
    public var description: String { behavior.description }

    /// The same with the type: this text is part of traces and so of digests.
    public var debugDescription: String { "Faults.Toxic.Kind.\(behavior)" }
}
