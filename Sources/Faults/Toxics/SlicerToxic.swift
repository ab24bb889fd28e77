import Documents
import Durations
import NIOCore
import Randomness

/// Cuts data into pieces and pauses behind each.
struct SlicerToxic: DelayingToxic {
    static let type: String = "slicer"
    static let attributeNames: [String] = ["average_size", "size_variation", "delay"]

    let averageSize: Int
    let sizeVariation: Int
    let delay: Duration

    init(averageSize: Int, sizeVariation: Int, delay: Duration) {
        self.averageSize = averageSize
        self.sizeVariation = sizeVariation
        self.delay = delay
    }

    init(_ attributes: ToxicAttributes) throws(FaultError) {
        self.init(
            averageSize: try attributes.count("average_size"), sizeVariation: try attributes.count("size_variation"),
            delay: .microseconds(try attributes.count("delay")))
    }

    var attributes: Value.Object {
        [
            "average_size": .integer(averageSize), "size_variation": .integer(sizeVariation),
            "delay": .integer(Int(clamping: delay.attoseconds / 1_000_000_000_000)),
        ]
    }

    var description: String {
        "slicer(averageSize: \(averageSize), sizeVariation: \(sizeVariation), delay: \(delay))"
    }

    func validationError(of name: String) -> String? {
        if averageSize < 1 { return "the average size of '\(name)' is \(averageSize); it must be at least 1" }
        if sizeVariation < 0 || sizeVariation >= averageSize {
            return "the size variation of '\(name)' is \(sizeVariation); "
                + "it must be at least 0 and below \(averageSize)"
        }
        return delay < .zero ? "the delay of '\(name)' is negative" : nil
    }

    func plan(_ arrival: ToxicArrival, received: UInt64, in stage: inout ToxicStage) {
        guard case .data(let buffer) = arrival else {
            return stage.hold(arrival, received: received, until: received)
        }
        var time = max(received, stage.freeAt)
        for piece in pieces(of: buffer, in: &stage) {
            stage.hold(.data(piece), received: received, until: time)
            time = time &+ delay.unsignedNanoseconds
        }
        stage.freeAt = time
    }

    /// Halves the bytes until each piece is near the average size.
    private func pieces(of buffer: ByteBuffer, in stage: inout ToxicStage) -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        var open: [(start: Int, end: Int)] = [(0, buffer.readableBytes)]
        while let (start, end) = open.popLast() {
            if end - start - averageSize <= sizeVariation {
                if let piece = buffer.getSlice(at: buffer.readerIndex + start, length: end - start) {
                    pieces.append(piece)
                }
                continue
            }
            var middle = start + (end - start) / 2
            if sizeVariation > 0 { middle += stage.random.index(below: 2 * sizeVariation) - sizeVariation }
            middle = min(max(middle, start + 1), end - 1)
            open.append((middle, end))
            open.append((start, middle))
        }
        return pieces
    }
}

extension Toxic.Kind {
    /// Pieces of about `averageSize` bytes, give or take `sizeVariation`, with a pause behind each.
    public static func slicer(averageSize: Int, sizeVariation: Int, delay: Duration) -> Toxic.Kind {
        Toxic.Kind(SlicerToxic(averageSize: averageSize, sizeVariation: sizeVariation, delay: delay))
    }
}
