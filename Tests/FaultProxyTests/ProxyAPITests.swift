import Documents
import FaultProxy
import Ports
import XCTest

/// The API over all its routes: statuses, bodies and types to the byte, as Toxiproxy 2.12 has them.
final class ProxyAPITests: ProxyTestCase {
    private func proxy(_ name: String, _ listen: String, enabled: Bool = true, toxics: String = "") -> String {
        #"{"name":"\#(name)","listen":"\#(listen)","upstream":"127.0.0.1:1","enabled":\#(enabled),"Logger":{},"#
            + #""toxics":[\#(toxics)]}"#
    }

    private func error(_ text: String, _ status: Int) -> String { #"{"error":"\#(text)","status":\#(status)}"# + "\n" }

    func testTheVersionIsPlain() throws {
        let answer = try ask("GET", "/version")
        XCTAssertEqual(answer.status, 200)
        XCTAssertEqual(answer.body, "{\"version\": \"2.12.0\"}\n")
        XCTAssertEqual(answer.fields["content-type"], "application/json;charset=utf-8")
    }

    func testProxiesAreMadeListedShownChangedAndDeleted() throws {
        try expect("GET", "/proxies", is: 200, "{}")
        let made = try ask("POST", "/proxies", #"{"name":"b","listen":"localhost:0","upstream":"127.0.0.1:1"}"#)
        XCTAssertEqual(made.status, 201)
        XCTAssertEqual(made.fields["content-type"], "application/json")
        let port = try port(of: made)
        XCTAssertGreaterThan(port, 0)
        XCTAssertEqual(made.body, proxy("b", "127.0.0.1:\(port)"))
        try expect(
            "POST", "/proxies", #"{"name":"a","listen":"localhost:0","upstream":"127.0.0.1:1","enabled":false}"#,
            is: 201,
            proxy("a", "localhost:0", enabled: false))
        try expect(
            "GET", "/proxies", is: 200,
            #"{"a":\#(proxy("a", "localhost:0", enabled: false)),"b":\#(proxy("b", "127.0.0.1:\(port)"))}"#)
        try expect("GET", "/proxies/b", is: 200, proxy("b", "127.0.0.1:\(port)"))
        for method in ["POST", "PATCH"] {
            try expect(
                "\(method)", "/proxies/b", #"{"enabled":false}"#, is: 200,
                proxy("b", "127.0.0.1:\(port)", enabled: false))
            XCTAssertThrowsError(try TestSocket(connectingTo: port))
            try expect(
                "\(method)", "/proxies/b", #"{"ENABLED":true,"name":"other"}"#, is: 200, proxy("b", "127.0.0.1:\(port)")
            )
            _ = try TestSocket(connectingTo: port)
        }
        try expect("DELETE", "/proxies/b", is: 204, "")
        try expect("GET", "/proxies/b", is: 404, error("proxy not found", 404))
        XCTAssertThrowsError(try TestSocket(connectingTo: port))
    }

    func testAProxyWithoutAnAddressListensOnAll() throws {
        let made = try ask("POST", "/proxies", #"{"name":"x","upstream":"127.0.0.1:1"}"#)
        XCTAssertEqual(made.status, 201, made.body)
        _ = try TestSocket(connectingTo: port(of: made))
    }

    func testErrorsSayWhatToxiproxySays() throws {
        let port = try makeProxy()
        let cases: [(String, String, String?, Int, String)] = [
            ("POST", "/proxies", "", 400, "bad request body: EOF"),
            ("POST", "/proxies", "{\"name\":", 400, "bad request body: unexpected EOF"),
            (
                "POST", "/proxies", "name=x", 400,
                "bad request body: invalid character 'a' in literal null (expecting 'u')"
            ),
            ("POST", "/proxies", "x", 400, "bad request body: invalid character 'x' looking for beginning of value"),
            (
                "POST", "/proxies", "{name:1}", 400,
                "bad request body: invalid character 'n' looking for beginning of object key string"
            ),
            ("POST", "/proxies", "[1 2]", 400, "bad request body: invalid character '2' after array element"),
            (
                "POST", "/proxies", #"{"name":5}"#, 400,
                "bad request body: json: cannot unmarshal number into Go struct field Proxy.name of type string"
            ),
            (
                "POST", "/proxies", #"{"enabled":"yes"}"#, 400,
                "bad request body: json: cannot unmarshal string into Go struct field Proxy.enabled of type bool"
            ),
            ("POST", "/proxies", "{}", 400, "missing required field: name"),
            ("POST", "/proxies", #"{"name":"x"}"#, 400, "missing required field: upstream"),
            ("POST", "/proxies", #"{"name":"p","upstream":"u:1"}"#, 409, "proxy already exists"),
            (
                "POST", "/proxies", #"{"name":"x","upstream":"u:1","listen":"127.0.0.1:\#(port)"}"#, 500,
                "listen tcp 127.0.0.1:\(port): bind: address already in use"
            ),
            (
                "POST", "/proxies", #"{"name":"x","upstream":"u:1","listen":"foo"}"#, 500,
                "listen tcp: address foo: missing port in address"
            ),
            (
                "POST", "/proxies", #"{"name":"x","upstream":"u:1","listen":"::1:2"}"#, 500,
                "listen tcp: address ::1:2: too many colons in address"
            ),
            ("POST", "/proxies/no", "x", 404, "proxy not found"),
            ("DELETE", "/proxies/no", nil, 404, "proxy not found"),
            ("POST", "/proxies/p", #"{"listen":"foo"}"#, 500, "address foo: missing port in address"),
            ("GET", "/proxies/no/toxics", nil, 404, "proxy not found"),
            ("POST", "/proxies/no/toxics", "{}", 404, "proxy not found"),
            ("POST", "/proxies/p/toxics", "{", 400, "bad request body: unexpected EOF"),
            ("POST", "/proxies/p/toxics", "{}", 400, "invalid toxic type"),
            (
                "POST", "/proxies/p/toxics", #"{"stream":"","type":"latency"}"#, 400,
                "stream was invalid, can be either upstream or downstream"
            ),
            (
                "POST", "/proxies/p/toxics", #"{"stream":"sideways","type":"nonsense"}"#, 400,
                "stream was invalid, can be either upstream or downstream"
            ),
            (
                "POST", "/proxies/p/toxics", #"{"type":"latency","attributes":{"latency":5.5}}"#, 400,
                "bad request body: json: cannot unmarshal number 5.5 into Go struct field "
                    + "LatencyToxic.attributes.latency of type int64"
            ),
            (
                "POST", "/proxies/p/toxics", #"{"type":"latency","attributes":{"latency":"5"}}"#, 400,
                "bad request body: json: cannot unmarshal string into Go struct field "
                    + "LatencyToxic.attributes.latency of type int64"
            ),
            ("GET", "/proxies/p/toxics/no", nil, 404, "toxic not found"),
            ("POST", "/proxies/p/toxics/no", "x", 404, "toxic not found"),
            ("DELETE", "/proxies/p/toxics/no", nil, 404, "toxic not found"),
        ]
        for (method, path, body, status, text) in cases {
            let answer = try ask(method, path, body)
            XCTAssertEqual(answer.status, status, "\(method) \(path) \(body ?? "")")
            XCTAssertEqual(answer.body, error(text, status), "\(method) \(path) \(body ?? "")")
            XCTAssertEqual(answer.fields["content-type"], "text/plain; charset=utf-8")
            XCTAssertEqual(answer.fields["x-content-type-options"], "nosniff")
        }
        // None of it has made or changed anything.
        try expect(
            "GET", "/proxies", is: 200,
            #"{"p":{"name":"p","listen":"127.0.0.1:\#(port)","upstream":"127.0.0.1:\#(listener.port)","enabled":true,"#
                + #""Logger":{},"toxics":[]}}"#)
    }

    // What crashes Toxiproxy (stack overflow, panic) is refused here, and the proxy goes on.
    func testAttributesThatWouldCrashAreRefused() throws {
        _ = try makeProxy()
        for body in [
            #"{"type":"slicer"}"#, #"{"type":"slicer","attributes":{"average_size":10,"size_variation":11}}"#,
            #"{"type":"bandwidth","attributes":{"rate":-1}}"#, #"{"type":"latency","attributes":{"latency":-5}}"#,
            #"{"type":"packet_loss","attributes":{"loss_rate":1.5}}"#,
        ] {
            let answer = try ask("POST", "/proxies/p/toxics", body)
            XCTAssertEqual(answer.status, 400, body)
            XCTAssertEqual(answer.value?["status"], 400, answer.body)
        }
        try expect("GET", "/proxies/p/toxics", is: 200, "[]")
    }

    func testToxicsAreAddedShownListedChangedAndDeleted() throws {
        _ = try makeProxy()
        let latency = #"{"attributes":{"latency":100,"jitter":0},"name":"latency_downstream","type":"latency","#
        try expect(
            "POST", "/proxies/p/toxics", #"{"type":"latency","attributes":{"latency":100,"unknown":1}}"#, is: 200,
            latency + #""stream":"downstream","toxicity":1}"#)
        try expect("POST", "/proxies/p/toxics", #"{"type":"latency"}"#, is: 409, error("toxic already exists", 409))
        let bandwidth =
            #"{"attributes":{"rate":10},"name":"b<w>","type":"bandwidth","stream":"UpStream","toxicity":0.3}"#
        try expect("POST", "/proxies/p/toxics", bandwidth, is: 200, bandwidth.replacing("<w>", with: "\\u003cw\\u003e"))
        // The upstream chain comes first.
        try expect(
            "GET", "/proxies/p/toxics", is: 200,
            "[" + bandwidth.replacing("<w>", with: "\\u003cw\\u003e") + "," + latency
                + #""stream":"downstream","toxicity":1}]"#)
        for method in ["POST", "PATCH"] {
            try expect(
                method, "/proxies/p/toxics/latency_downstream",
                #"{"attributes":{"jitter":7,"latency":null},"toxicity":0.25,"name":"x","type":"y","stream":"z"}"#,
                is: 200,
                #"{"attributes":{"latency":100,"jitter":7},"name":"latency_downstream","type":"latency","#
                    + #""stream":"downstream","toxicity":0.25}"#)
        }
        // A refused update changes nothing, where Toxiproxy keeps what came before the mistake.
        let refused = try ask(
            "POST", "/proxies/p/toxics/latency_downstream", #"{"attributes":{"latency":900,"jitter":1.5}}"#)
        XCTAssertEqual(refused.status, 400)
        try expect(
            "GET", "/proxies/p/toxics/latency_downstream", is: 200,
            #"{"attributes":{"latency":100,"jitter":7},"name":"latency_downstream","type":"latency","#
                + #""stream":"downstream","toxicity":0.25}"#)
        try expect("GET", "/proxies/p/toxics/b%3Cw%3E", is: 200)
        try expect("DELETE", "/proxies/p/toxics/b%3Cw%3E", is: 204, "")
        try expect("POST", "/reset", is: 204, "")
        try expect("GET", "/proxies/p/toxics", is: 200, "[]")
    }

    func testEveryTypeHasItsAttributesAndTheirDefaults() throws {
        _ = try makeProxy()
        let types = [
            ("noop", "{}", "{}"), ("latency", "{}", #"{"latency":0,"jitter":0}"#), ("bandwidth", "{}", #"{"rate":0}"#),
            ("slow_close", "{}", #"{"delay":0}"#), ("timeout", "{}", #"{"timeout":0}"#),
            ("reset_peer", "{}", #"{"timeout":0}"#),
            (
                "slicer", #"{"average_size":64,"size_variation":32,"delay":10}"#,
                #"{"average_size":64,"size_variation":32,"delay":10}"#
            ),
            ("limit_data", "{}", #"{"bytes":0}"#),
            ("packet_loss", #"{"loss_rate":0.25}"#, #"{"loss_rate":0.25,"correlation":0}"#),
            ("limit_time", "{}", #"{"time":0}"#), ("black_hole", "{}", "{}"),
        ]
        for (type, given, shown) in types {
            try expect(
                "POST", "/proxies/p/toxics", #"{"type":"\#(type)","attributes":\#(given)}"#, is: 200,
                #"{"attributes":\#(shown),"name":"\#(type)_downstream","type":"\#(type)","stream":"downstream","toxicity":1}"#
            )
        }
    }

    func testPopulateMakesWhatIsMissingAndLeavesTheRest() throws {
        try expect("POST", "/populate", "[]", is: 201, #"{"proxies":null}"#)
        let port = try makeProxy()
        try addToxic("latency", #""latency":1"#)
        let upstream = "127.0.0.1:\(listener.port)"
        let same = #"{"name":"p","listen":"localhost:\#(port)","upstream":"\#(upstream)","enabled":false}"#
        let answer = try ask("POST", "/populate", #"[\#(same),{"name":"q","listen":"localhost:0","upstream":"u:1"}]"#)
        XCTAssertEqual(answer.status, 201, answer.body)
        let proxies = answer.value?["proxies"]?.array ?? []
        XCTAssertEqual(proxies.compactMap { $0["name"]?.string }, ["p", "q"])
        // Left as it is: enabled, with its toxic.
        XCTAssertEqual(proxies.first?["enabled"], true)
        XCTAssertEqual(proxies.first?["toxics"]?.array?.count, 1)
        // Another upstream puts another proxy in its place.
        let other = try ask("POST", "/populate", #"[{"name":"p","listen":"127.0.0.1:\#(port)","upstream":"u:2"}]"#)
        XCTAssertEqual(other.status, 201, other.body)
        XCTAssertEqual(other.value?["proxies"]?.array?.first?["toxics"], [])
        XCTAssertEqual(try ask("GET", "/proxies").value?.object?.keys, ["p", "q"])
    }

    func testPopulateChecksAllBeforeItMakesAny() throws {
        let missing = try ask("POST", "/populate", #"[{"name":"a","upstream":"u:1"},{"name":"b"}]"#)
        XCTAssertEqual(missing.status, 400)
        XCTAssertEqual(
            missing.body, #"{"error":"missing required field: upstream at proxy 2","status":400,"proxies":null}"#)
        XCTAssertEqual(missing.fields["content-type"], "application/json")
        XCTAssertEqual(try ask("POST", "/populate", "{}").status, 400)
        try expect("GET", "/proxies", is: 200, "{}")
        let port = try makeProxy()
        let taken = try ask(
            "POST", "/populate",
            #"[{"name":"a","listen":"127.0.0.1:0","upstream":"u:1"},{"name":"b","listen":"127.0.0.1:\#(port)","upstream":"u:1"}]"#
        )
        XCTAssertEqual(taken.status, 500)
        XCTAssertEqual(
            taken.value?["error"], .string("listen tcp 127.0.0.1:\(port): bind: address already in use"))
        XCTAssertEqual(taken.value?["proxies"]?.array?.compactMap { $0["name"]?.string }, ["a"])
    }

    func testRoutesMethodsAndBrowsersAreToldApart() throws {
        let unknown = try ask("GET", "/nothing")
        XCTAssertEqual(unknown.status, 404)
        XCTAssertEqual(unknown.body, "404 page not found\n")
        XCTAssertNil(unknown.fields["x-toxiproxy-request-id"])
        for path in ["/proxies/", "/version/", "/proxies/p/toxics/t/more"] {
            XCTAssertEqual(try ask("GET", path).status, 404)
        }
        for (method, path) in [("PUT", "/version"), ("HEAD", "/version"), ("GET", "/reset"), ("PUT", "/proxies/p")] {
            let answer = try ask(method, path)
            XCTAssertEqual(answer.status, 405, "\(method) \(path)")
            XCTAssertEqual(answer.body, "")
        }
        let moved = try ask("GET", "//version")
        XCTAssertEqual(moved.status, 301)
        XCTAssertEqual(moved.fields["location"], "/version")
        let browser = try ask("GET", "/version", fields: ["User-Agent: Mozilla/5.0"])
        XCTAssertEqual(browser.status, 403)
        XCTAssertEqual(browser.body, "User agent not allowed\n")
        XCTAssertEqual(try ask("GET", "/nothing", fields: ["User-Agent: Mozilla/5.0"]).status, 404)
        XCTAssertEqual(try ask("GET", "/version", fields: ["User-Agent: mozilla/5.0"]).status, 200)
        let ids = try (0..<3).map { _ in try XCTUnwrap(ask("GET", "/version").fields["x-toxiproxy-request-id"]) }
        XCTAssertEqual(Set(ids).count, 3)
        XCTAssertEqual(Set(ids.map(\.count)), [20])
    }

    func testBodiesMayBeChunkedAnnouncedOrCalledAForm() throws {
        let body = #"{"name":"x","listen":"127.0.0.1:0","upstream":"u:1"} and what follows is not looked at"#
        let form = try ask("POST", "/proxies", body, fields: ["Content-Type: application/x-www-form-urlencoded"])
        XCTAssertEqual(form.status, 201, form.body)
        let socket = try TestSocket(connectingTo: server.endpoint.port)
        socket.send("POST /reset HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        guard case .data(let reset) = socket.receive() else { return XCTFail("no answer") }
        XCTAssertTrue(reset.hasPrefix("HTTP/1.1 204"), reset)
        // On the same connection: the body is sent when the server asks for it.
        socket.send("PATCH /proxies/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        XCTAssertEqual(socket.receive(), .data("HTTP/1.1 100 Continue\r\n\r\n"))
        socket.send("{}")
        guard case .data(let update) = socket.receive() else { return XCTFail("no answer") }
        XCTAssertTrue(update.hasPrefix("HTTP/1.1 200"), update)
    }

    func testMetricsCountWhatPassed() throws {
        let port = try makeProxy()
        let (client, server) = try connect(port)
        client.send("12345")
        XCTAssertEqual(server.receive(), .data("12345"))
        server.send("123")
        XCTAssertEqual(client.receive(), .data("123"))
        let text = try ask("GET", "/metrics").body
        let labels = #"listener="127.0.0.1:\#(port)",proxy="p",upstream="127.0.0.1:\#(listener.port)""#
        for line in [
            #"toxiproxy_proxy_received_bytes_total{direction="upstream",\#(labels)} 5"#,
            #"toxiproxy_proxy_sent_bytes_total{direction="upstream",\#(labels)} 5"#,
            #"toxiproxy_proxy_received_bytes_total{direction="downstream",\#(labels)} 3"#,
            #"toxiproxy_proxy_sent_bytes_total{direction="downstream",\#(labels)} 3"#,
            #"toxiproxy_proxy_connections{proxy="p"} 1"#, #"toxiproxy_proxy_connections_total{proxy="p"} 1"#,
        ] { XCTAssertTrue(text.contains(line + "\n"), "\(line) is not in\n\(text)") }
    }
}
