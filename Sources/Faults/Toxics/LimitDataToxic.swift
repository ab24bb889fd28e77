import Documents
import NIOCore

/// Lets so many bytes of a connection through, and closes it.
struct LimitDataToxic: FilteringToxic {
    static let type: String = "limit_data"
    static let attributeNames: [String] = ["bytes"]

    let bytes: UInt64

    init(bytes: UInt64) {
        self.bytes = bytes
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(bytes: UInt64(try attributes.count("bytes")))
    }

    var attributes: Value.Object { ["bytes": .integer(Int(clamping: bytes))] }
    var description: String { "limitData(bytes: \(bytes))" }

    func validationError(of name: String) -> String? { nil }

    /// The stage remembers the bytes that have passed.
    func receive(_ arrival: ToxicArrival, at now: UInt64, in stage: inout ToxicStage) {
        guard case .data(var buffer) = arrival else { return plan(arrival, received: now, in: &stage) }
        let left = bytes > stage.memory ? bytes - stage.memory : 0
        let count = min(UInt64(buffer.readableBytes), left)
        stage.memory += count
        if count > 0, let slice = buffer.readSlice(length: Int(count)) {
            plan(.data(slice), received: now, in: &stage)
        }
        if stage.memory >= bytes { stage.end(with: .close, at: now) }
    }
}

extension Toxic.Kind {
    /// So many bytes pass, then the connection closes.
    public static func limitData(bytes: UInt64) -> Toxic.Kind { Toxic.Kind(LimitDataToxic(bytes: bytes)) }
}
