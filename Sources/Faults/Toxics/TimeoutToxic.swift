import Documents
import Durations

/// Drops all data and closes the connection after a time, or when it is removed.
struct TimeoutToxic: FilteringToxic {
    static let type: String = "timeout"
    static let attributeNames: [String] = ["timeout"]

    let limit: Duration

    init(limit: Duration) {
        self.limit = limit
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(limit: try attributes.milliseconds("timeout"))
    }

    var attributes: Value.Object { ["timeout": .milliseconds(limit)] }
    var description: String { "timeout(\(limit))" }
    var closesWhenRemoved: Bool { true }

    func validationError(of name: String) -> String? { limit < .zero ? "the time of '\(name)' is negative" : nil }

    func begin(at now: UInt64, in stage: inout ToxicStage) {
        if limit > .zero { stage.deadline = now &+ limit.unsignedNanoseconds }
    }

    func receive(_ arrival: ToxicArrival, at now: UInt64, in stage: inout ToxicStage) {
        switch arrival {
        case .data:
            if limit > .zero, stage.deadlineItem == .close { stage.deadline = now &+ limit.unsignedNanoseconds }
        case .end:
            // It passes, and there is nothing left to time.
            stage.deadline = nil
            plan(arrival, received: now, in: &stage)
        }
    }
}

extension Toxic.Kind {
    /// All data is dropped; the connection closes so long after the toxic began or the last data came; 0 is never.
    public static func timeout(_ limit: Duration) -> Toxic.Kind { Toxic.Kind(TimeoutToxic(limit: limit)) }
}
