import Documents
import Durations

/// Swallows everything, and resets the connection some time after the first of it.
struct ResetPeerToxic: FilteringToxic {
    static let type: String = "reset_peer"
    static let attributeNames: [String] = ["timeout"]

    let delay: Duration

    init(delay: Duration) {
        self.delay = delay
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(delay: try attributes.milliseconds("timeout"))
    }

    var attributes: Value.Object { ["timeout": .milliseconds(delay)] }
    var description: String { "resetPeer(after: \(delay))" }

    func validationError(of name: String) -> String? { delay < .zero ? "the time of '\(name)' is negative" : nil }

    func receive(_ arrival: ToxicArrival, at now: UInt64, in stage: inout ToxicStage) {
        guard stage.deadline == nil || stage.deadlineItem == .close else { return }
        stage.deadline = now &+ delay.unsignedNanoseconds
        stage.deadlineItem = .reset
    }
}

extension Toxic.Kind {
    /// The first data, or the end, resets the connection after a time.
    public static func resetPeer(after delay: Duration) -> Toxic.Kind { Toxic.Kind(ResetPeerToxic(delay: delay)) }
}
