public import Documents
import Randomness

extension Toxic {
    /// As Toxiproxy writes it: type, name, toxicity and attributes, in its units (ms, µs, KB a second, bytes).
    ///
    /// A share that no millionths are, such as `1/3`, is a string: what is read back does the same.
    public var document: Value.Object {
        var document: Value.Object = ["type": .string(type), "name": .string(name)]
        if toxicity != .one { document["toxicity"] = .share(toxicity) }
        let attributes = kind.behavior.attributes
        if !attributes.isEmpty { document["attributes"] = .object(attributes) }
        return document
    }

    /// The name of its kind, as Toxiproxy has it.
    public var type: String { Swift.type(of: kind.behavior).type }

    /// The values of its attributes, in Toxiproxy's units.
    package var attributes: Value.Object { kind.behavior.attributes }

    /// The attributes of a type where nothing is given, in Toxiproxy's units; nil for a type that there is not.
    package static func defaultAttributes(ofType type: String) -> Value.Object? {
        guard let kind = kinds.first(where: { $0.type == type }) else { return nil }
        return (try? kind.init(ToxicAttributes(values: [:])))?.attributes
    }

    /// Reads a toxic as Toxiproxy's API has it; the name is the type's where none is given.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong.
    public init(_ document: Value.Object) throws(FaultError) {
        guard let type = document["type"]?.string, let kind = Self.kinds.first(where: { $0.type == type }) else {
            throw FaultError("'type' of the toxic is one of \(Self.kinds.map { $0.type }.joined(separator: ", "))")
        }
        for name in document.keys where !["type", "name", "toxicity", "attributes", "stream"].contains(name) {
            throw FaultError("a toxic has no '\(name)'; it has type, name, toxicity and attributes")
        }
        let attributes = document["attributes"]?.object ?? [:]
        let known = kind.attributeNames
        for name in attributes.keys where !known.contains(name) {
            let list = known.isEmpty ? "none" : known.joined(separator: ", ")
            throw FaultError("the toxic '\(type)' has no attribute '\(name)'; it has \(list)")
        }
        let behavior = try kind.init(ToxicAttributes(values: attributes))
        var toxicity = Ratio.one
        if let share = document["toxicity"] {
            guard let ratio = FaultArguments.ratio(share) else {
                throw FaultError("'toxicity' of the toxic is a number from 0 to 1")
            }
            toxicity = ratio
        }
        self.init(document["name"]?.string ?? type, Kind(behavior), toxicity: toxicity)
        if let problem = validationError { throw FaultError(problem) }
    }
}

/// What a toxic is given in a document; what is not there is 0.
struct ToxicAttributes {
    let values: Value.Object

    /// The largest attribute: a day in µs, or so many bytes.
    private static let countMax: Int = 86_400_000_000

    /// A whole number.
    func count(_ name: String) throws(FaultError) -> Int {
        guard let value = values[name] else { return 0 }
        guard let count = value.integer, (0...Self.countMax).contains(count) else {
            throw FaultError("the attribute '\(name)' of the toxic is a whole number from 0 to \(Self.countMax)")
        }
        return count
    }

    /// A time in ms.
    func milliseconds(_ name: String) throws(FaultError) -> Duration { .milliseconds(try count(name)) }

    /// A number from 0 to 1.
    func ratio(_ name: String) throws(FaultError) -> Ratio {
        guard let value = values[name] else { return .zero }
        guard let ratio = FaultArguments.ratio(value) else {
            throw FaultError("the attribute '\(name)' of the toxic is a number from 0 to 1")
        }
        return ratio
    }
}

extension Value {
    /// A time in whole ms.
    static func milliseconds(_ duration: Duration) -> Value {
        .integer(Int(clamping: duration.attoseconds / 1_000_000_000_000_000))
    }

    /// A share as a number, as Toxiproxy has it, where that is read back as the same; else as a string such as `1/3`.
    static func share(_ share: Ratio) -> Value {
        let number = Value.real(Double(share.numerator) / Double(share.denominator))
        return FaultArguments.ratio(number) == share ? number : .ratio(share)
    }
}
