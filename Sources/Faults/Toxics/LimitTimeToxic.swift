import Documents
import Durations

/// Lets everything through, and closes the connection some time after it began.
///
/// Not one of Toxiproxy's: its users ask for it, because `timeout` drops the data of the time before.
struct LimitTimeToxic: FilteringToxic {
    static let type: String = "limit_time"
    static let attributeNames: [String] = ["time"]

    let limit: Duration

    init(limit: Duration) {
        self.limit = limit
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(limit: try attributes.milliseconds("time"))
    }

    var attributes: Value.Object { ["time": .milliseconds(limit)] }
    var description: String { "limitTime(\(limit))" }

    func validationError(of name: String) -> String? { limit < .zero ? "the time of '\(name)' is negative" : nil }

    func begin(at now: UInt64, in stage: inout ToxicStage) {
        stage.deadline = now &+ limit.unsignedNanoseconds
    }

    func receive(_ arrival: ToxicArrival, at now: UInt64, in stage: inout ToxicStage) {
        // Behind the end there is nothing left to be cut.
        if arrival == .end, stage.deadlineItem == .close { stage.deadline = nil }
        plan(arrival, received: now, in: &stage)
    }
}

extension Toxic.Kind {
    /// The connection is closed so long after it, or the toxic, began.
    public static func limitTime(_ limit: Duration) -> Toxic.Kind { Toxic.Kind(LimitTimeToxic(limit: limit)) }
}
