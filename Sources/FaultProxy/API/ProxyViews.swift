import Documents

/// What Toxiproxy's API has not: what toxics have hit, and who is connected.
enum ProxyViews {
    /// For each toxic how many connections it acted on, and what came to it there.
    static func hits(_ proxy: Proxy) -> Value {
        .array(
            proxy.toxics.map { toxic in
                let hits = proxy.hits(of: toxic)
                return [
                    "name": .string(toxic.name), "type": .string(toxic.type), "stream": .string(toxic.streamText),
                    "connections": .integer(Int(clamping: hits.connections)),
                    "pieces": .integer(Int(clamping: hits.pieces)),
                ]
            })
    }

    /// For each connection who it is of, whether the server is there, and which toxics act on it.
    static func connections(_ proxy: Proxy) -> Value {
        .array(
            proxy.living.map { connection in
                let acting = proxy.toxics.filter { toxic in
                    connection.relay(toxic.stream)?.path?.hits(of: toxic.name) != nil
                }
                return [
                    "number": .integer(Int(clamping: connection.number)),
                    "client": .string(ListenAddress.text(connection.client)),
                    "connected": .bool(connection.isStarted), "toxics": .array(acting.map { .string($0.name) }),
                ]
            })
    }
}
