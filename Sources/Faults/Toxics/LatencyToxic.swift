import Documents
import Durations
import Randomness

/// Delays each piece; the end of the stream passes, behind what came before it.
struct LatencyToxic: DelayingToxic {
    static let type: String = "latency"
    static let attributeNames: [String] = ["latency", "jitter"]

    let latency: Duration
    let jitter: Duration

    init(latency: Duration, jitter: Duration) {
        self.latency = latency
        self.jitter = jitter
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(latency: try attributes.milliseconds("latency"), jitter: try attributes.milliseconds("jitter"))
    }

    var attributes: Value.Object { ["latency": .milliseconds(latency), "jitter": .milliseconds(jitter)] }
    var description: String { "latency(latency: \(latency), jitter: \(jitter))" }

    /// What is on a long line: 1,024 of a proxy's pieces, as with Toxiproxy.
    var heldBytesMax: Int { 32 * 1024 * 1024 }

    func validationError(of name: String) -> String? {
        latency < .zero || jitter < .zero ? "the latency or jitter of '\(name)' is negative" : nil
    }

    func plan(_ arrival: ToxicArrival, received: UInt64, in stage: inout ToxicStage) {
        guard case .data = arrival else { return stage.hold(arrival, received: received, until: received) }
        var release = received &+ latency.unsignedNanoseconds
        let jitter = jitter.unsignedNanoseconds
        if jitter > 0 {
            // Uniform in -jitter ..< jitter, to the nanosecond; never before it came.
            release = release &+ stage.random.next(below: 2 * jitter)
            release = release > jitter ? release - jitter : 0
        }
        stage.hold(arrival, received: received, until: max(release, received))
    }
}

extension Toxic.Kind {
    /// Each piece leaves `latency` after it came, give or take `jitter`, in order.
    public static func latency(latency: Duration, jitter: Duration) -> Toxic.Kind {
        Toxic.Kind(LatencyToxic(latency: latency, jitter: jitter))
    }
}
