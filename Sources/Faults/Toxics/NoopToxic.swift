import Documents

/// Does nothing.
struct NoopToxic: DelayingToxic {
    static let type: String = "noop"
    static let attributeNames: [String] = []

    init() {}
    init(_ attributes: ToxicAttributes) {}

    var attributes: Value.Object { [:] }
    var description: String { "noop" }

    func validationError(of name: String) -> String? { nil }

    func plan(_ arrival: ToxicArrival, received: UInt64, in stage: inout ToxicStage) {
        stage.hold(arrival, received: received, until: received)
    }
}

extension Toxic.Kind {
    /// Nothing.
    public static let noop: Toxic.Kind = Toxic.Kind(NoopToxic())
}
