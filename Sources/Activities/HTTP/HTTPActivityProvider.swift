public import Documents
public import Experiments
import HTTP
public import HTTPTypes
public import NIOCore
public import Ports

/// Performs HTTP activities over ports, in reality and in the simulation, with the reference's semantics: those of Python's requests.
public struct HTTPActivityProvider: Sendable {
    /// Redirections that are followed.
    static let redirectsMax: Int = 30
    /// The longest body that is taken.
    static let bodyBytesMax: Int = 256 << 20
    /// How long a whole exchange may take where the activity sets no timeout.
    public static let totalMax: TimeAmount = .hours(24)

    private let ports: any Ports
    private let security: @Sendable (_ verifies: Bool) throws -> (any ChannelSecurity)?

    /// Makes a provider.
    ///
    /// - Parameters:
    ///   - ports: How it reaches the network.
    ///   - security: Makes the TLS layer of `https` connections; nil speaks in the clear, as simulated networks do.
    public init(
        _ ports: any Ports,
        security: @escaping @Sendable (_ verifies: Bool) throws -> (any ChannelSecurity)? = { _ in nil }
    ) {
        self.ports = ports
        self.security = security
    }

    /// Sends a request, follows redirections and reads the answer.
    ///
    /// - Returns: An object of `status`, `headers` and `body`.
    /// - Throws: `ActivityError`.
    public func perform(_ call: HTTPCall) async throws(ActivityError) -> Value {
        let answer = try await fetch(call)
        return try ResponseReader.value(of: answer.response, answer.body)
    }

    /// The value of the `Authorization` field of Basic authentication.
    public static func basicAuthorization(user: String, password: String) -> String {
        HTTPClient.basicAuthorization(user: user, password: password).value
    }

    /// An answer before it is read.
    public typealias Answer = (response: HTTPResponse, body: ByteBuffer)

    /// Sends a request and follows redirections.
    ///
    /// - Parameters:
    ///   - call: The request.
    ///   - total: How long each exchange may take in all, whatever the call's timeouts are.
    ///   - followsRedirects: Whether redirections are followed; else they are the answer.
    /// - Returns: The answer.
    /// - Throws: `ActivityError`.
    public func fetch(
        _ call: HTTPCall, total: TimeAmount = Self.totalMax, followsRedirects: Bool = true
    ) async throws(ActivityError) -> Answer {
        var exchange = try OutgoingRequest(call)
        let timeouts = try Timeouts(call.timeout)
        var redirects = 0
        var cookies = CookieJar()
        while true {
            let (response, body) = try await send(exchange, call, timeouts, cookies, total)
            cookies.take(response.headerFields, host: exchange.url.host)
            guard followsRedirects, let location = response.headerFields[.location],
                exchange.isRedirected(by: response.status.code)
            else {
                return (response, body)
            }
            redirects += 1
            guard redirects <= Self.redirectsMax else {
                throw .unexpected("Exceeded \(Self.redirectsMax) redirects.")
            }
            try exchange.follow(location, status: response.status.code)
        }
    }

    private func send(
        _ exchange: OutgoingRequest, _ call: HTTPCall, _ timeouts: Timeouts, _ cookies: CookieJar,
        _ total: TimeAmount
    ) async throws(ActivityError) -> (HTTPResponse, ByteBuffer) {
        let client: HTTPClient
        do {
            var options = HTTPClient.Options(
                connect: timeouts.connect ?? Self.totalMax, firstByte: timeouts.read ?? Self.totalMax,
                total: total, connectionsMax: 1, waitingMax: 1, bodyBytesMax: Self.bodyBytesMax,
                idle: .seconds(1))
            options.silence = timeouts.read ?? Self.totalMax
            options.tls = exchange.url.isSecure ? try security(call.verifiesTLS) : nil
            options.decompresses = true
            client = try await HTTPClient.make(ports, options: options)
        } catch {
            throw .failed("failed to connect to \(exchange.url): \(error)")
        }
        let request = try exchange.request(cookies.header(for: exchange.url.host))
        let endpoint = Endpoint(exchange.url.host, exchange.url.port)
        var attempts = 0
        while true {
            let failure: HTTPFailure
            do {
                let answer = try await client.send(request, body: exchange.body, to: endpoint)
                await client.shutDown()
                return (answer.response, answer.body)
            } catch {
                failure = error
            }
            attempts += 1
            if attempts <= call.retriesMax, failure.mayBeRetried(method: exchange.method) { continue }
            await client.shutDown()
            throw failure.activityError(exchange.url)
        }
    }
}

/// How long connecting and each wait for data may take.
private struct Timeouts {
    var connect: TimeAmount?
    var read: TimeAmount?

    init(_ value: Value?) throws(ActivityError) {
        switch value {
        case nil, .null?: return
        case .array(let pair)? where pair.count == 2:
            connect = try Self.amount(pair[0])
            read = try Self.amount(pair[1])
        case let single?:
            connect = try Self.amount(single)
            read = connect
        }
    }

    private static func amount(_ value: Value) throws(ActivityError) -> TimeAmount? {
        if value.isNull { return nil }
        guard value.bool == nil, let seconds = value.number else {
            throw .unexpected("a timeout is a number of seconds or a list of two, not \(value.kind)")
        }
        guard seconds > 0 else {
            throw .unexpected("a timeout must be above 0 seconds, not \(seconds)")
        }
        return .nanoseconds(Int64(exactly: (seconds * 1e9).rounded()) ?? Int64.max / 4)
    }
}

extension HTTPFailure {
    /// Whether urllib3 would try again: what never got through always, what may have, if repeating it does no harm.
    fileprivate func mayBeRetried(method: String) -> Bool {
        switch self {
        case .connect, .timedOut(.connecting): true
        case .closed, .reset, .timedOut, .transport:
            ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains(method)
        case .malformed, .bodyTooLarge, .poolExhausted, .cancelled, .shutDown: false
        }
    }

    /// What requests makes of it, and the reference of that.
    fileprivate func activityError(_ url: RequestURL) -> ActivityError {
        switch self {
        case .cancelled, .shutDown: .interrupted
        case .timedOut(.waiting): .failed("activity took too long to complete")
        case .closed(.receiving):
            .unexpected("the answer of \(url) ended in the middle")
        case .bodyTooLarge(let limit): .unexpected("the answer of \(url) is longer than \(limit) bytes")
        case .connect, .transport, .timedOut, .closed, .reset, .malformed, .poolExhausted:
            .failed("failed to connect to \(url): \(self)")
        }
    }
}
