import Documents
public import Randomness

/// Loses pieces, which no TCP does: the stream has holes.
struct PacketLossToxic: FilteringToxic {
    static let type: String = "packet_loss"
    static let attributeNames: [String] = ["loss_rate", "correlation"]

    let rate: Ratio
    let correlation: Ratio

    init(rate: Ratio, correlation: Ratio) {
        self.rate = rate
        self.correlation = correlation
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(rate: try attributes.ratio("loss_rate"), correlation: try attributes.ratio("correlation"))
    }

    var attributes: Value.Object { ["loss_rate": .share(rate), "correlation": .share(correlation)] }
    var description: String { "packetLoss(rate: \(rate), correlation: \(correlation))" }

    func validationError(of name: String) -> String? {
        rate.numerator > rate.denominator || correlation.numerator > correlation.denominator
            ? "the loss of '\(name)' is above 1" : nil
    }

    /// The stage remembers whether the piece before was lost.
    func receive(_ arrival: ToxicArrival, at now: UInt64, in stage: inout ToxicStage) {
        guard case .data = arrival else { return plan(arrival, received: now, in: &stage) }
        // Behind a lost piece the two add up.
        let base = UInt128(rate.numerator) * UInt128(correlation.denominator)
        let more = stage.memory == 1 ? UInt128(correlation.numerator) * UInt128(rate.denominator) : 0
        let whole = UInt128(rate.denominator) * UInt128(correlation.denominator)
        let isLost = UInt128(stage.random.next()) * whole < (base + more) << 64
        stage.memory = isLost ? 1 : 0
        if !isLost { plan(arrival, received: now, in: &stage) }
    }
}

extension Toxic.Kind {
    /// Pieces vanish, which corrupts the stream; behind a lost one, the next is lost so much more often.
    public static func packetLoss(rate: Ratio, correlation: Ratio) -> Toxic.Kind {
        Toxic.Kind(PacketLossToxic(rate: rate, correlation: correlation))
    }
}
