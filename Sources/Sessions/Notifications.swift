import Activities
import Documents
import Experiments

/// Tells the channels of the settings what happens to runs.
struct Notifications {
    let providers: RealActivityProviders
    let channels: [Value]
    let wallTime: @Sendable () -> Duration
    let warn: @Sendable (String) -> Void

    init(
        settings: Value, providers: RealActivityProviders, wallTime: @escaping @Sendable () -> Duration,
        warn: @escaping @Sendable (String) -> Void
    ) {
        channels = settings["notifications"]?.array ?? []
        self.providers = providers
        self.wallTime = wallTime
        self.warn = warn
    }

    /// Tells all channels that asked for an event; one that cannot be reached is left out with a warning.
    func notify(_ event: String, payload: Value, error: String? = nil) async {
        for channel in channels {
            // A channel without a list, or with an empty one, hears of everything.
            if let events = channel["events"]?.array, !events.isEmpty, !events.contains(.string(event)) { continue }
            switch channel["type"]?.string {
            case "http": await post(event, payload, error, to: channel)
            case let type:
                warn("the notification channel of type '\(type ?? "")' is not supported: only http is")
            }
        }
    }

    private func post(_ event: String, _ payload: Value, _ error: String?, to channel: Value) async {
        let forwards = channel["forward_event_payload"]?.bool ?? true
        var message: Value.Object = [
            "name": .string(event), "payload": payload, "phase": .string(event.prefixBeforeDash),
            "ts": .real(wallTime() / .seconds(1)),
        ]
        if let error { message["error"] = .string(error) }
        var headers = channel["headers"]?.object ?? [:]
        if forwards { headers["Content-Type"] = "application/json" }
        let call = HTTPCall(
            url: channel["url"] ?? .null, method: forwards ? "POST" : "GET", headers: headers,
            arguments: forwards ? .object(message) : nil, timeout: [2, 5],
            verifiesTLS: channel["verify_tls"]?.bool ?? true, retriesMax: 0)
        do {
            _ = try await providers.http().fetch(call)
        } catch {
            warn("the notification '\(event)' was not delivered: \(error)")
        }
    }
}

extension String {
    /// The part before the first dash, as `run` of `run-started`.
    fileprivate var prefixBeforeDash: String { String(prefix { $0 != "-" }) }
}
