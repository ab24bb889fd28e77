import Documents
import Durations

/// Delays the end of the stream.
struct SlowCloseToxic: DelayingToxic {
    static let type: String = "slow_close"
    static let attributeNames: [String] = ["delay"]

    let delay: Duration

    init(delay: Duration) {
        self.delay = delay
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(delay: try attributes.milliseconds("delay"))
    }

    var attributes: Value.Object { ["delay": .milliseconds(delay)] }
    var description: String { "slowClose(delay: \(delay))" }

    func validationError(of name: String) -> String? { delay < .zero ? "the time of '\(name)' is negative" : nil }

    func plan(_ arrival: ToxicArrival, received: UInt64, in stage: inout ToxicStage) {
        let wait = arrival == .end ? delay.unsignedNanoseconds : 0
        stage.hold(arrival, received: received, until: received &+ wait)
    }
}

extension Toxic.Kind {
    /// The end of the stream leaves later.
    public static func slowClose(delay: Duration) -> Toxic.Kind { Toxic.Kind(SlowCloseToxic(delay: delay)) }
}
