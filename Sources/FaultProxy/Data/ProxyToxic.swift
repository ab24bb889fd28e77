import Documents
import Faults
import NIOCore
import Randomness

/// A direction of a proxied connection.
enum ToxicStream: String, Hashable, Sendable, CaseIterable {
    /// From the client to the server.
    case upstream
    /// From the server to the client.
    case downstream

    /// Its place in pairs.
    var index: Int { self == .upstream ? 0 : 1 }
}

/// A toxic as the API has it: what it does, on which direction, and to whom.
struct ProxyToxic: Hashable, Sendable {
    /// What it does.
    enum Effect: Hashable, Sendable {
        /// A stage that data passes through.
        case stage(Toxic.Kind)
        /// Attempts to connect are not answered.
        case blackHole
    }

    /// The type of ``Effect/blackHole``: an extension of ours.
    static let blackHoleType: String = "black_hole"

    let name: String
    let type: String
    let stream: ToxicStream
    /// The stream as it was written.
    let streamText: String
    /// The share as it was given, which may be any number.
    let toxicity: Float
    let effect: Effect
    /// The clients that it is limited to; nil is everybody.
    let peers: PeerSet?

    /// The stage's toxic; nil for what is no stage.
    var toxic: Toxic? {
        guard case .stage(let kind) = effect else { return nil }
        return Toxic(name, kind, toxicity: Self.share(toxicity))
    }

    /// Whether it acts on connections of a client.
    func concerns(_ peer: SocketAddress?) -> Bool { peers?.contains(peer) ?? true }

    /// The share as a fraction of 2^24, which a `float32` between 0 and 1 is, or nearly.
    private static func share(_ toxicity: Float) -> Ratio {
        Ratio(UInt64((Double(min(max(toxicity, 0), 1)) * 16_777_216).rounded()), outOf: 16_777_216)
    }
}

// MARK: As the API has it

extension ProxyToxic {
    /// What may be left out: all but its type.
    static func make(_ value: Value) throws(ProxyError) -> ProxyToxic {
        do {
            return try make(GoStruct(value, type: "ToxicWrapper"))
        } catch let error as GoJSONError {
            throw ProxyError.badBody(error)
        } catch let error as ProxyError {
            throw error
        } catch {
            throw ProxyError(400, "\(error)")
        }
    }

    private static func make(_ fields: GoStruct) throws -> ProxyToxic {
        let name = try fields.string("name") ?? ""
        let type = try fields.string("type") ?? ""
        let streamText = try fields.string("stream") ?? "downstream"
        let toxicity = try fields.float("toxicity") ?? 1
        guard let stream = ToxicStream(rawValue: streamText.lowercased()) else { throw ProxyError.invalidStream }
        var peers: PeerSet?
        if let texts = try fields.array("peers", of: "string") {
            peers = try PeerSet(try texts.map { try text($0) })
        }
        let toxic = ProxyToxic(
            name: name.isEmpty ? "\(type)_\(stream)" : name, type: type, stream: stream, streamText: streamText,
            toxicity: toxicity, effect: .blackHole, peers: peers)
        if type == blackHoleType {
            try toxic.checkBlackHole()
            return toxic
        }
        guard let defaults = Toxic.defaultAttributes(ofType: type) else { throw ProxyError.invalidType }
        return try toxic.with(attributes: defaults, toxicity: toxicity, fields)
    }

    private static func text(_ value: Value) throws -> String {
        guard case .string(let text) = value else {
            throw GoJSONError(
                "json: cannot unmarshal \(value.kind) into Go struct field ToxicWrapper.peers of type string")
        }
        return text
    }

    /// The same with what an update gives: attributes and toxicity; nothing changes where something is wrong.
    func updated(_ value: Value) throws(ProxyError) -> ProxyToxic {
        do {
            let fields = try GoStruct(value, type: "ToxicWrapper")
            let toxicity = try fields.float("toxicity") ?? self.toxicity
            guard case .stage(let kind) = effect else {
                let updated = with(effect, toxicity: toxicity)
                try updated.checkBlackHole()
                return updated
            }
            return try with(attributes: Toxic(name, kind).attributes, toxicity: toxicity, fields)
        } catch let error as GoJSONError {
            throw ProxyError.badBody(error)
        } catch let error as ProxyError {
            throw error
        } catch {
            throw ProxyError(400, "\(error)")
        }
    }

    private func with(_ effect: Effect, toxicity: Float) -> ProxyToxic {
        ProxyToxic(
            name: name, type: type, stream: stream, streamText: streamText, toxicity: toxicity, effect: effect,
            peers: peers)
    }

    private func with(attributes: Value.Object, toxicity: Float, _ fields: GoStruct) throws -> ProxyToxic {
        var attributes = attributes
        let given = try fields.object("attributes", type: Self.goName(type))
        for (name, value) in attributes {
            if case .integer = value {
                if let integer = try given.integer(name) { attributes[name] = .integer(integer) }
            } else if let double = try given.double(name) {
                attributes[name] = .real(double)
            }
        }
        let toxic: Toxic
        do {
            toxic = try Toxic(["type": .string(type), "name": .string(name), "attributes": .object(attributes)])
        } catch {
            throw ProxyError(400, "\(error)")
        }
        return with(.stage(toxic.kind), toxicity: toxicity)
    }

    /// Who connects to a port is not known before it is answered: a black hole is for everybody or nobody.
    private func checkBlackHole() throws(ProxyError) {
        guard toxicity <= 0 || toxicity >= 1 else {
            throw ProxyError(
                400, "the toxicity of a black_hole is 0 or 1: an attempt that is not answered has no share")
        }
        guard peers == nil else {
            throw ProxyError(400, "a black_hole has no peers: who connects is not known before it is answered")
        }
    }

    /// What Go calls the struct of a type's attributes, as in `LimitDataToxic`.
    private static func goName(_ type: String) -> String {
        type.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Toxic"
    }

    /// As Toxiproxy answers it; with the peers, where there are any.
    var document: Value {
        var attributes: Value.Object = [:]
        if case .stage(let kind) = effect { attributes = Toxic(name, kind).attributes.mapValues(Self.plain) }
        var document: Value.Object = [
            "attributes": .object(attributes), "name": .string(name), "type": .string(type),
            "stream": .string(streamText), "toxicity": GoJSON.number(toxicity),
        ]
        if let peers { document["peers"] = .array(peers.texts.map { .string($0) }) }
        return .object(document)
    }

    /// Go writes whole numbers without a fraction.
    private static func plain(_ value: Value) -> Value {
        guard case .real(let real) = value, let whole = Int(exactly: real) else { return value }
        return .integer(whole)
    }
}
