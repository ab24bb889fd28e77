import Documents
import HTTP
import HTTPTypes
import NIOCore

/// Toxiproxy's HTTP API over a registry.
struct ProxyAPI: Sendable {
    let registry: ProxyRegistry
    let requestIDs: RequestIDs

    /// The version that clients see: from 2.6.0 on they change proxies with PATCH.
    static let version: String = "2.12.0"

    /// Answers a request.
    func respond(_ request: HTTPRequest, _ body: ByteBuffer) async -> HTTPReply {
        let path = String((request.path ?? "/").prefix { $0 != "?" })
        if let clean = Self.cleaned(path) { return redirect(to: clean, request) }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            .map { PercentEncoding.decode($0) }
        guard let route = Route(segments) else { return HTTPReply(.notFound, text: "404 page not found\n") }
        guard route.methods.isEmpty || route.methods.contains(request.method) else {
            return HTTPReply(.methodNotAllowed)
        }
        var reply: HTTPReply
        if request.headerFields[.userAgent]?.hasPrefix("Mozilla/") ?? false {
            reply = HTTPReply(.forbidden, text: "User agent not allowed\n")
        } else {
            reply = await answer(route, request.method, body)
        }
        reply.response.headerFields[.requestID] = requestIDs.next()
        return reply
    }

    /// The path without empty and relative segments; nil where it has none.
    private static func cleaned(_ path: String) -> String? {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard segments.dropLast().contains("") || segments.contains(".") || segments.contains("..") else { return nil }
        var clean: [Substring] = []
        for segment in segments where !segment.isEmpty && segment != "." {
            if segment == ".." { _ = clean.popLast() } else { clean.append(segment) }
        }
        let end = path.hasSuffix("/") && !clean.isEmpty ? "/" : ""
        return "/" + clean.joined(separator: "/") + end
    }

    private func redirect(to path: String, _ request: HTTPRequest) -> HTTPReply {
        let isShown = request.method == .get
        var reply = HTTPReply(
            .movedPermanently, text: isShown ? "<a href=\"\(path)\">Moved Permanently</a>.\n\n" : "",
            type: "text/html; charset=utf-8")
        reply.response.headerFields[.location] = path
        return reply
    }

    // MARK: Routes

    /// What can be asked for.
    private enum Route {
        case version, proxies, populate, reset, metrics
        case proxy(String), toxics(String), hits(String), connections(String)
        case toxic(String, String)

        init?(_ segments: [String]) {
            switch segments.count {
            case 1:
                switch segments[0] {
                case "version": self = .version
                case "proxies": self = .proxies
                case "populate": self = .populate
                case "reset": self = .reset
                case "metrics": self = .metrics
                default: return nil
                }
            case 2 where segments[0] == "proxies" && !segments[1].isEmpty: self = .proxy(segments[1])
            case 3 where segments[0] == "proxies" && !segments[1].isEmpty:
                switch segments[2] {
                case "toxics": self = .toxics(segments[1])
                case "hits": self = .hits(segments[1])
                case "connections": self = .connections(segments[1])
                default: return nil
                }
            case 4
            where segments[0] == "proxies" && segments[2] == "toxics" && !segments[1].isEmpty && !segments[3].isEmpty:
                self = .toxic(segments[1], segments[3])
            default: return nil
            }
        }

        /// The methods that it takes; none are all.
        var methods: [HTTPRequest.Method] {
            switch self {
            case .version, .hits, .connections: [.get]
            case .proxies: [.get, .post]
            case .populate, .reset: [.post]
            case .metrics: []
            case .proxy, .toxic: [.get, .post, .patch, .delete]
            case .toxics: [.get, .post, .put]
            }
        }
    }

    private func answer(_ route: Route, _ method: HTTPRequest.Method, _ body: ByteBuffer) async -> HTTPReply {
        do {
            switch route {
            case .version:
                return HTTPReply(
                    .ok, text: "{\"version\": \"\(Self.version)\"}\n", type: "application/json;charset=utf-8")
            case .metrics:
                let text = await ProxyMetrics.text(registry)
                return HTTPReply(.ok, text: text, type: "text/plain; version=0.0.4; charset=utf-8")
            case .proxies where method == .get:
                var proxies: Value.Object = [:]
                for snapshot in await registry.all() { proxies[snapshot.name] = snapshot.document }
                return json(.ok, .object(proxies))
            case .proxies:
                let request = try ProxyRequest(try Self.decode(body).get())
                try request.checkComplete()
                return json(.created, try await registry.create(request).document)
            case .populate: return await populate(body)
            case .reset:
                try await registry.reset()
                return HTTPReply(.noContent)
            case .proxy(let name): return try await answer(proxy: name, method, body)
            case .toxics(let name): return try await answer(toxicsOf: name, method, body)
            case .toxic(let name, let toxic): return try await answer(toxic, of: name, method, body)
            case .hits(let name):
                return json(.ok, try await registry.proxy(name).onLoop { ProxyViews.hits($0) })
            case .connections(let name):
                return json(.ok, try await registry.proxy(name).onLoop { ProxyViews.connections($0) })
            }
        } catch {
            return failure(error)
        }
    }

    private func answer(proxy name: String, _ method: HTTPRequest.Method, _ body: ByteBuffer) async throws -> HTTPReply
    {
        switch method {
        case .get: return json(.ok, try await registry.proxy(name).onLoop { ProxySnapshot($0) }.document)
        case .delete:
            try await registry.remove(name)
            return HTTPReply(.noContent)
        default: return json(.ok, try await registry.update(name, Self.decode(body)).document)
        }
    }

    private func answer(
        toxicsOf name: String, _ method: HTTPRequest.Method, _ body: ByteBuffer
    ) async throws -> HTTPReply {
        let proxy = try await registry.proxy(name)
        switch method {
        case .get: break
        case .post:
            let toxic = try ProxyToxic.make(try Self.decode(body).get())
            try await registry.change(name) { try $0.add(toxic) }
            return json(.ok, toxic.document)
        default:
            guard case .array(let values) = try Self.decode(body).get() else {
                throw ProxyError(400, "bad request body: a list of toxics is needed")
            }
            var toxics: [ProxyToxic] = []
            for value in values { toxics.append(try ProxyToxic.make(value)) }
            let wanted = toxics
            try await registry.change(name) { try $0.replace(with: wanted) }
        }
        return json(.ok, ProxySnapshot.document(try await proxy.onLoop(\.toxics)))
    }

    private func answer(
        _ toxic: String, of name: String, _ method: HTTPRequest.Method, _ body: ByteBuffer
    ) async throws -> HTTPReply {
        switch method {
        case .get: return json(.ok, try await registry.proxy(name).onLoop { try $0.toxic(toxic) }.document)
        case .delete:
            try await registry.change(name) { try $0.remove(toxic) }
            return HTTPReply(.noContent)
        default:
            let update = Self.decode(body)
            return json(.ok, try await registry.change(name) { try $0.update(toxic, update) }.document)
        }
    }

    private func populate(_ body: ByteBuffer) async -> HTTPReply {
        var done: [ProxySnapshot] = []
        var failure: ProxyError?
        do {
            let requests = try ProxyRequest.list(try Self.decode(body).get())
            (done, failure) = await registry.populate(requests)
        } catch {
            failure = error
        }
        let proxies: Value = done.isEmpty ? .null : .array(done.map(\.document))
        guard let failure else { return json(.created, ["proxies": proxies]) }
        return json(
            HTTPResponse.Status(code: failure.status),
            ["error": .string(failure.description), "status": .integer(failure.status), "proxies": proxies])
    }

    // MARK: Bodies

    private static func decode(_ body: ByteBuffer) -> Result<Value, ProxyError> {
        do {
            return .success(try GoJSON.read(Array(body.readableBytesView)))
        } catch {
            return .failure(.badBody(error))
        }
    }

    private func json(_ status: HTTPResponse.Status, _ value: Value) -> HTTPReply {
        HTTPReply(status, text: GoJSON.write(value), type: "application/json")
    }

    /// An error as Toxiproxy answers it: JSON that calls itself plain text.
    private func failure(_ error: any Error) -> HTTPReply {
        let error = error as? ProxyError ?? ProxyError(500, "\(error)")
        let text = GoJSON.write(["error": .string(error.description), "status": .integer(error.status)])
        var reply = HTTPReply(HTTPResponse.Status(code: error.status), text: text + "\n")
        reply.response.headerFields[.contentTypeOptions] = "nosniff"
        return reply
    }
}

extension HTTPField.Name {
    /// The name of the field that has each answer's own number.
    fileprivate static let requestID: HTTPField.Name = name("X-Toxiproxy-Request-Id")
    fileprivate static let contentTypeOptions: HTTPField.Name = name("X-Content-Type-Options")

    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("'\(text)' is no token") }
        return name
    }
}
