public import Documents
import Randomness

extension Toxic {
    /// As Toxiproxy writes it: type, name, toxicity and attributes, in its units (ms, µs, KB a second, bytes).
    public var document: Value.Object {
        var document: Value.Object = ["type": .string(type), "name": .string(name)]
        if toxicity != .one { document["toxicity"] = .real(Self.number(toxicity)) }
        if !attributes.isEmpty { document["attributes"] = .object(attributes) }
        return document
    }

    /// The name of its kind, as Toxiproxy has it.
    public var type: String {
        switch kind {
        case .noop: "noop"
        case .latency: "latency"
        case .bandwidth: "bandwidth"
        case .slowClose: "slow_close"
        case .timeout: "timeout"
        case .resetPeer: "reset_peer"
        case .slicer: "slicer"
        case .limitData: "limit_data"
        case .packetLoss: "packet_loss"
        }
    }

    private var attributes: Value.Object {
        switch kind {
        case .noop: [:]
        case .latency(let latency, let jitter):
            ["latency": Self.milliseconds(latency), "jitter": Self.milliseconds(jitter)]
        case .bandwidth(let bytes): ["rate": .integer(Int(clamping: bytes / 1000))]
        case .slowClose(let delay): ["delay": Self.milliseconds(delay)]
        case .timeout(let limit): ["timeout": Self.milliseconds(limit)]
        case .resetPeer(let time): ["timeout": Self.milliseconds(time)]
        case .slicer(let size, let variation, let delay):
            [
                "average_size": .integer(size), "size_variation": .integer(variation),
                "delay": .integer(Int(clamping: delay.attoseconds / 1_000_000_000_000)),
            ]
        case .limitData(let bytes): ["bytes": .integer(Int(clamping: bytes))]
        case .packetLoss(let rate, let correlation):
            ["rate": .real(Self.number(rate)), "correlation": .real(Self.number(correlation))]
        }
    }

    /// Reads a toxic as Toxiproxy's API has it; the name is the type's where none is given.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong.
    public init(_ document: Value.Object) throws(FaultError) {
        let reader = ToxicReader(document: document)
        try reader.check()
        let kind = try reader.kind()
        let type = document["type"]?.string ?? ""
        var toxicity = Ratio.one
        if let share = document["toxicity"] {
            guard let ratio = FaultArguments.ratio(share) else {
                throw FaultError("'toxicity' of the toxic is a number from 0 to 1")
            }
            toxicity = ratio
        }
        self.init(document["name"]?.string ?? type, kind, toxicity: toxicity)
        if let problem = validationError { throw FaultError(problem) }
    }

    private static func number(_ ratio: Ratio) -> Double {
        Double(ratio.numerator) / Double(ratio.denominator)
    }

    private static func milliseconds(_ duration: Duration) -> Value {
        .integer(Int(clamping: duration.attoseconds / 1_000_000_000_000_000))
    }
}

private struct ToxicReader {
    let document: Value.Object

    /// The types, and the attributes of each.
    private static let types: [(name: String, attributes: [String])] = [
        ("noop", []), ("latency", ["latency", "jitter"]), ("bandwidth", ["rate"]), ("slow_close", ["delay"]),
        ("timeout", ["timeout"]), ("reset_peer", ["timeout"]),
        ("slicer", ["average_size", "size_variation", "delay"]), ("limit_data", ["bytes"]),
        ("packet_loss", ["rate", "correlation"]),
    ]

    func check() throws(FaultError) {
        guard let type = document["type"]?.string, let known = Self.types.first(where: { $0.name == type }) else {
            throw FaultError("'type' of the toxic is one of \(Self.types.map(\.name).joined(separator: ", "))")
        }
        for name in document.keys where !["type", "name", "toxicity", "attributes", "stream"].contains(name) {
            throw FaultError("a toxic has no '\(name)'; it has type, name, toxicity and attributes")
        }
        for name in document["attributes"]?.object?.keys ?? [] where !known.attributes.contains(name) {
            let list = known.attributes.isEmpty ? "none" : known.attributes.joined(separator: ", ")
            throw FaultError("the toxic '\(type)' has no attribute '\(name)'; it has \(list)")
        }
    }

    func kind() throws(FaultError) -> Toxic.Kind {
        switch document["type"]?.string {
        case "latency":
            return .latency(
                latency: .milliseconds(try count("latency")), jitter: .milliseconds(try count("jitter")))
        case "bandwidth": return .bandwidth(bytesPerSecond: UInt64(try count("rate")) * 1000)
        case "slow_close": return .slowClose(delay: .milliseconds(try count("delay")))
        case "timeout": return .timeout(.milliseconds(try count("timeout")))
        case "reset_peer": return .resetPeer(after: .milliseconds(try count("timeout")))
        case "slicer":
            return .slicer(
                averageSize: try count("average_size"), sizeVariation: try count("size_variation"),
                delay: .microseconds(try count("delay")))
        case "limit_data": return .limitData(bytes: UInt64(try count("bytes")))
        case "packet_loss": return .packetLoss(rate: try ratio("rate"), correlation: try ratio("correlation"))
        default: return .noop
        }
    }

    /// The largest attribute: a day in µs, or so many bytes.
    private static let countMax: Int = 86_400_000_000

    private func count(_ name: String) throws(FaultError) -> Int {
        guard let value = document["attributes"]?[name] else { return 0 }
        guard let count = value.integer, (0...Self.countMax).contains(count) else {
            throw FaultError("the attribute '\(name)' of the toxic is a whole number from 0 to \(Self.countMax)")
        }
        return count
    }

    private func ratio(_ name: String) throws(FaultError) -> Ratio {
        guard let value = document["attributes"]?[name] else { return .zero }
        guard let ratio = FaultArguments.ratio(value) else {
            throw FaultError("the attribute '\(name)' of the toxic is a number from 0 to 1")
        }
        return ratio
    }
}
