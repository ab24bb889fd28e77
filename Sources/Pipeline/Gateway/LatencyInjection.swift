import HTTP
public import HTTPTypes

/// Lets a request ask to be answered late, by a header: the landscape's own fault injection.
public struct LatencyInjection: Sendable {
    /// The header, which holds milliseconds; nil injects nothing.
    public let header: HTTPField.Name?
    /// No request waits longer.
    public let longest: Duration

    /// Nothing is injected.
    public static let off: LatencyInjection = LatencyInjection(header: nil)

    /// Looks at a header, such as Envoy's `x-envoy-fault-delay-request`.
    public init(header: HTTPField.Name?, longest: Duration = .seconds(60)) {
        self.header = header
        self.longest = longest
    }

    /// How long a request asks to wait; nil if it does not.
    public func delay(of request: HTTPRequest) -> Duration? {
        guard let header, let text = request.headerFields[header], let milliseconds = Int64(text), milliseconds > 0
        else {
            return nil
        }
        return min(.milliseconds(milliseconds), longest)
    }

    /// A responder that waits as requests ask.
    func around(_ responder: HTTPResponder) -> HTTPResponder {
        guard header != nil, case .asynchronous(let answer) = responder else { return responder }
        return .asynchronous { request, body in
            if let delay = delay(of: request) { try? await Task.sleep(for: delay) }
            return await answer(request, body)
        }
    }
}
