import Documents
import NIOCore

/// Lets so many bytes through each second: delay first, then data.
struct BandwidthToxic: DelayingToxic {
    static let type: String = "bandwidth"
    static let attributeNames: [String] = ["rate"]

    let bytesPerSecond: UInt64

    init(bytesPerSecond: UInt64) {
        self.bytesPerSecond = bytesPerSecond
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(bytesPerSecond: UInt64(try attributes.count("rate")) * 1000)
    }

    var attributes: Value.Object { ["rate": .integer(Int(clamping: bytesPerSecond / 1000))] }
    var description: String { "bandwidth(bytesPerSecond: \(bytesPerSecond))" }

    func validationError(of name: String) -> String? { nil }

    func plan(_ arrival: ToxicArrival, received: UInt64, in stage: inout ToxicStage) {
        guard bytesPerSecond > 0 else { return stage.hold(arrival, received: received, until: ToxicStage.never) }
        guard case .data(var rest) = arrival else { return stage.hold(arrival, received: received, until: received) }
        var time = max(received, stage.freeAt)
        let tenth = Int(clamping: max(1, bytesPerSecond / 10))
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(tenth, rest.readableBytes)) {
            time = time &+ UInt64(piece.readableBytes) * 1_000_000_000 / bytesPerSecond
            stage.hold(.data(piece), received: received, until: time)
        }
    }
}

extension Toxic.Kind {
    /// So many bytes leave each second, a tenth of a second's worth at a time; 0 lets nothing through, and loses nothing.
    public static func bandwidth(bytesPerSecond: UInt64) -> Toxic.Kind {
        Toxic.Kind(BandwidthToxic(bytesPerSecond: bytesPerSecond))
    }
}
