import Documents

/// What a request says of a proxy: what is not given is nil.
struct ProxyRequest: Sendable {
    let name: String
    let listen: String?
    let upstream: String?
    let isEnabled: Bool?
    /// Toxics that are made together with the proxy: an extension of ours.
    let toxics: [ProxyToxic]

    /// Reads a request.
    ///
    /// - Throws: ``ProxyError`` with the first thing that is wrong.
    init(_ value: Value) throws(ProxyError) {
        do {
            let fields = try GoStruct(value, type: "Proxy")
            name = try fields.string("name") ?? ""
            listen = try fields.string("listen")
            upstream = try fields.string("upstream")
            isEnabled = try fields.bool("enabled")
            let toxics = try fields.array("toxics", of: "Toxic") ?? []
            self.toxics = try toxics.map { try ProxyToxic.make($0) }
        } catch let error as GoJSONError {
            throw ProxyError.badBody(error)
        } catch let error as ProxyError {
            throw error
        } catch {
            throw ProxyError(400, "\(error)")
        }
        guard Set(toxics.map(\.name)).count == toxics.count else { throw .toxicExists }
    }

    /// Checks that a proxy can be made of it.
    ///
    /// - Parameter entry: Its place in a list, for the message.
    /// - Throws: ``ProxyError`` with the first field that is missing.
    func checkComplete(entry: Int? = nil) throws(ProxyError) {
        if name.isEmpty { throw .missing("name", of: entry) }
        if (upstream ?? "").isEmpty { throw .missing("upstream", of: entry) }
    }

    /// Reads a list of proxies, as in a configuration: all are checked before anything is done.
    ///
    /// - Throws: ``ProxyError`` with the first thing that is wrong.
    static func list(_ value: Value) throws(ProxyError) -> [ProxyRequest] {
        let type = "[]struct { toxiproxy.Proxy; Enabled *bool \"json:\\\"enabled\\\"\" }"
        let entries: [Value]
        switch value {
        case .array(let array): entries = array
        case .null: entries = []
        default: throw .badBody(GoJSONError("json: cannot unmarshal \(Self.kind(value)) into Go value of type \(type)"))
        }
        var requests: [ProxyRequest] = []
        for entry in entries { requests.append(try ProxyRequest(entry)) }
        for (index, request) in requests.enumerated() { try request.checkComplete(entry: index + 1) }
        return requests
    }

    private static func kind(_ value: Value) -> String {
        switch value {
        case .object: "object"
        case .string: "string"
        case .bool: "bool"
        default: "number"
        }
    }
}

/// A proxy as it was at a moment.
struct ProxySnapshot: Sendable {
    let name: String
    let listen: String
    let upstream: String
    let isEnabled: Bool
    let toxics: [ProxyToxic]

    init(_ proxy: Proxy) {
        name = proxy.name
        listen = proxy.listen
        upstream = proxy.upstream
        isEnabled = proxy.isEnabled
        toxics = proxy.toxics
    }

    /// As Toxiproxy answers it.
    var document: Value {
        [
            "name": .string(name), "listen": .string(listen), "upstream": .string(upstream),
            "enabled": .bool(isEnabled),
            "Logger": [:], "toxics": Self.document(toxics),
        ]
    }

    /// As a configuration has it.
    var configuration: Value {
        [
            "name": .string(name), "listen": .string(listen), "upstream": .string(upstream),
            "enabled": .bool(isEnabled),
            "toxics": Self.document(toxics),
        ]
    }

    /// Toxics in the order in which they are listed: those upstream before those downstream.
    static func document(_ toxics: [ProxyToxic]) -> Value {
        .array(ToxicStream.allCases.flatMap { stream in toxics.filter { $0.stream == stream } }.map(\.document))
    }
}
