public import HTTPTypes
public import NIOCore

/// Finds who answers a request by its method and path.
///
/// A pattern is a path whose `{name}` segments match any one segment; their values are percent-decoded.
public struct HTTPRouter: Sendable {
    /// Answers a request with the pattern's parameters and the body.
    public typealias Handler = @Sendable (HTTPRequest, [String: String], ByteBuffer) async -> HTTPReply

    private struct Route: Sendable {
        let method: HTTPRequest.Method
        let segments: [Substring]
        let handler: Handler
    }

    private var routes: [Route] = []

    /// Makes a router without routes: everything is answered with 404.
    public init() {}

    /// Adds a route; the first that matches answers.
    public mutating func on(_ method: HTTPRequest.Method, _ pattern: String, _ handler: @escaping Handler) {
        routes.append(Route(method: method, segments: Self.segments(pattern), handler: handler))
    }

    /// Answers by the routes: 404 where no path matches, 405 where only the method does not.
    public var responder: HTTPResponder {
        .asynchronous { [self] request, body in await respond(request, body) }
    }

    private func respond(_ request: HTTPRequest, _ body: ByteBuffer) async -> HTTPReply {
        let path = (request.path ?? "/").prefix { $0 != "?" }
        let segments = Self.segments(String(path))
        var allowed: [String] = []
        for route in routes {
            guard let parameters = Self.match(route.segments, segments) else { continue }
            if route.method == request.method { return await route.handler(request, parameters, body) }
            allowed.append(route.method.rawValue)
        }
        guard !allowed.isEmpty else { return HTTPReply(.notFound) }
        var reply = HTTPReply(.methodNotAllowed)
        reply.response.headerFields[.allow] = allowed.joined(separator: ", ")
        return reply
    }

    private static func segments(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: true)
    }

    private static func match(_ pattern: [Substring], _ path: [Substring]) -> [String: String]? {
        guard pattern.count == path.count else { return nil }
        var parameters: [String: String] = [:]
        for (expected, segment) in zip(pattern, path) {
            if expected.hasPrefix("{"), expected.hasSuffix("}") {
                parameters[String(expected.dropFirst().dropLast())] = PercentEncoding.decode(segment)
            } else if expected != segment {
                return nil
            }
        }
        return parameters
    }
}
