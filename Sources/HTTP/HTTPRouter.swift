public import HTTPTypes
public import NIOCore

/// Finds who answers a request by its method and path.
///
/// A pattern is a path whose `{name}` segments match any one segment; their values are percent-decoded.
public struct HTTPRouter: Sendable {
    /// Answers a request with the pattern's parameters and the body.
    public typealias Handler = @Sendable (HTTPRequest, [String: String], ByteBuffer) async -> HTTPReply

    /// A part of a pattern between two slashes.
    private enum Segment: Sendable {
        case literal([UInt8])
        case parameter(String)

        init(_ text: Substring.UTF8View) {
            if text.first == UInt8(ascii: "{"), text.last == UInt8(ascii: "}") {
                self = .parameter(String(Substring(text.dropFirst().dropLast())))
            } else {
                self = .literal(Array(text))
            }
        }
    }

    private struct Route: Sendable {
        let method: HTTPRequest.Method
        let segments: [Segment]
        let handler: Handler
    }

    private var routes: [Route] = []

    /// Makes a router without routes: everything is answered with 404.
    public init() {}

    /// Adds a route; the first that matches answers.
    public mutating func on(_ method: HTTPRequest.Method, _ pattern: String, _ handler: @escaping Handler) {
        routes.append(Route(method: method, segments: Self.segments(pattern).map(Segment.init), handler: handler))
    }

    /// Answers by the routes: 404 where no path matches, 405 where only the method does not.
    public var responder: HTTPResponder {
        .asynchronous { [self] request, body in await respond(request, body) }
    }

    private func respond(_ request: HTTPRequest, _ body: ByteBuffer) async -> HTTPReply {
        let segments = Self.segments(request.path ?? "/")
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

    /// The segments of a path, without its query.
    private static func segments(_ path: String) -> [Substring.UTF8View] {
        path[...].utf8.prefix { $0 != UInt8(ascii: "?") }.split(separator: UInt8(ascii: "/"))
    }

    private static func match(_ pattern: [Segment], _ path: [Substring.UTF8View]) -> [String: String]? {
        guard pattern.count == path.count else { return nil }
        for case (.literal(let expected), let segment) in zip(pattern, path) where !segment.elementsEqual(expected) {
            return nil
        }
        var parameters: [String: String] = [:]
        for case (.parameter(let name), let segment) in zip(pattern, path) {
            parameters[name] = PercentEncoding.decode(Substring(segment))
        }
        return parameters
    }
}
