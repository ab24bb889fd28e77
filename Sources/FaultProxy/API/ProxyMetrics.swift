/// What proxies count, as Prometheus' text.
enum ProxyMetrics {
    /// A proxy's numbers at a moment.
    private struct Counted: Sendable {
        let name: String
        let listen: String
        let upstream: String
        let counters: ProxyCounters
        let living: Int
        let toxics: [(toxic: ProxyToxic, hits: ToxicHits)]

        init(_ proxy: Proxy) {
            name = proxy.name
            listen = proxy.listen
            upstream = proxy.upstream
            counters = proxy.counters
            living = proxy.livingCount
            toxics = proxy.toxics.map { ($0, proxy.hits(of: $0)) }
        }

        func labels(_ stream: ToxicStream) -> [(String, String)] {
            [("direction", stream.rawValue), ("listener", listen), ("proxy", name), ("upstream", upstream)]
        }
    }

    /// All numbers of all proxies.
    static func text(_ registry: ProxyRegistry) async -> String {
        let proxies = await registry.map { Counted($0) }
        var text = MetricsText()
        text.family("toxiproxy_proxy_received_bytes_total", "counter", "Bytes that came, by direction.")
        for proxy in proxies {
            for stream in ToxicStream.allCases {
                text.line(proxy.labels(stream), proxy.counters.received[stream.index])
            }
        }
        text.family("toxiproxy_proxy_sent_bytes_total", "counter", "Bytes that were handed on, by direction.")
        for proxy in proxies {
            for stream in ToxicStream.allCases { text.line(proxy.labels(stream), proxy.counters.sent[stream.index]) }
        }
        text.family("toxiproxy_proxy_connections", "gauge", "Connections that live.")
        for proxy in proxies { text.line([("proxy", proxy.name)], UInt64(proxy.living)) }
        text.family("toxiproxy_proxy_connections_total", "counter", "Connections that were accepted.")
        for proxy in proxies { text.line([("proxy", proxy.name)], proxy.counters.connections) }
        text.family("toxiproxy_proxy_failed_dials_total", "counter", "Connections that found no server.")
        for proxy in proxies { text.line([("proxy", proxy.name)], proxy.counters.failedDials) }
        text.family("toxiproxy_toxic_connections_total", "counter", "Connections that a toxic acted on.")
        toxics(of: proxies, into: &text, \.connections)
        text.family("toxiproxy_toxic_pieces_total", "counter", "Pieces of data, and ends, that came to a toxic.")
        toxics(of: proxies, into: &text, \.pieces)
        return text.text
    }

    private static func toxics(
        of proxies: [Counted], into text: inout MetricsText, _ number: (ToxicHits) -> UInt64
    ) {
        for proxy in proxies {
            for (toxic, hits) in proxy.toxics {
                let labels = [
                    ("direction", toxic.stream.rawValue), ("proxy", proxy.name), ("toxic", toxic.name),
                    ("type", toxic.type),
                ]
                text.line(labels, number(hits))
            }
        }
    }

    /// Lines of Prometheus' text.
    private struct MetricsText {
        var text: String = ""
        private var name: String = ""

        mutating func family(_ name: String, _ type: String, _ help: String) {
            self.name = name
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }

        mutating func line(_ labels: [(String, String)], _ value: UInt64) {
            let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
            text += "\(name){\(pairs)} \(value)\n"
        }

        private static func escaped(_ text: String) -> String {
            var escaped = ""
            for character in text {
                switch character {
                case "\\": escaped += "\\\\"
                case "\"": escaped += "\\\""
                case "\n": escaped += "\\n"
                default: escaped.append(character)
                }
            }
            return escaped
        }
    }
}
