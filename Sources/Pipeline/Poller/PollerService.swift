import Documents
import Durations
public import HTTP
import HTTPTypes
import Measurements
import NIOCore
public import Ports

/// A poller as a service: it polls, and answers how old what it knows is.
///
/// `/health`, `/ready`, `/freshness`, `/freshness/{flat}`, `/flats/{flat}/measurements`, `/metrics`, and `POST /events` for the events
/// of devices.
public struct PollerService: Sendable {
    /// The poller.
    public let poller: Poller
    /// Where it answers.
    public let server: HTTPServer

    /// The longest event that is taken.
    public static let eventBytesMax: Int = 64 << 10

    /// Starts answering; ``run()`` polls.
    ///
    /// - Throws: ``ListenError``.
    public static func start(
        _ ports: any Ports, at endpoint: Endpoint, poller: Poller, injection: LatencyInjection = .off
    ) async throws -> PollerService {
        let responder = injection.around(router(poller).responder)
        var options = HTTPServer.Options.standard
        options.bodyBytesMax = eventBytesMax
        return PollerService(
            poller: poller,
            server: try await HTTPServer.start(ports, at: endpoint, options: options, responder: responder))
    }

    /// Polls until the task is cancelled, and then lets requests in flight end.
    public func run() async {
        await poller.run()
        await server.shutDown()
    }

    private static func router(_ poller: Poller) -> HTTPRouter {
        var router = HTTPRouter()
        router.on(.get, "/health") { _, _, _ in HTTPReply(json: ["status": "up"]) }
        router.on(.get, "/ready") { _, _, _ in
            let isReady = await poller.isReady
            return HTTPReply(json: ["ready": .bool(isReady)], isReady ? .ok : .serviceUnavailable)
        }
        router.on(.get, "/freshness") { _, _, _ in
            HTTPReply(json: freshness(await poller.ages, profile: poller.options.profile.name))
        }
        router.on(.get, "/freshness/{flat}") { _, parameters, _ in
            guard let age = await poller.age(of: parameters["flat"] ?? "") else {
                return HTTPReply(json: ["error": "no such flat"], .notFound)
            }
            return HTTPReply(json: freshness(age))
        }
        router.on(.get, "/flats/{flat}/measurements") { _, parameters, _ in
            guard let readings = await poller.latest(of: parameters["flat"] ?? "") else {
                return HTTPReply(json: ["error": "no such flat"], .notFound)
            }
            var list: [Value] = []
            for reading in readings { list.append(value(reading, await poller.fall(at: reading))) }
            return HTTPReply(json: ["readings": .array(list)])
        }
        router.on(.get, "/metrics") { _, _, _ in
            HTTPReply(.ok, text: await poller.metrics, type: "text/plain; version=0.0.4")
        }
        router.on(.post, "/events") { _, _, body in
            do {
                let event = try DeviceEvent(body.readableBytesView)
                return HTTPReply(json: ["accepted": .bool(await poller.handle(event))], .accepted)
            } catch {
                return HTTPReply(json: ["error": .string("\(error)")], .badRequest)
            }
        }
        return router
    }

    /// A reading's JSON; that of a register that shows less than before says how.
    private static func value(_ reading: Reading, _ fall: CounterFall?) -> Value {
        var value = reading.json
        if let fall { value.set(Pointer(tokens: ["fell"]), to: .string(fall.rawValue)) }
        return value
    }

    /// The three ages of the whole, in seconds: the global one, and of the flats' the largest and the 95th percentile.
    private static func freshness(_ ages: Ages, profile: String) -> Value {
        let successes = ages.flats.map(\.lastSuccess).sorted()
        let data = ages.flats.compactMap(\.data).sorted()
        let oldest = ages.flats.max { $0.lastSuccess < $1.lastSuccess }
        return [
            "profile": .string(profile), "last_success_age": seconds(ages.lastSuccess),
            "flats": .integer(ages.flats.count),
            "failing": .integer(ages.flats.count { $0.isFailing }),
            "per_flat": [
                "last_success_age_max": seconds(successes.last),
                "last_success_age_p95": seconds(Percentile.of(95, sorted: successes)),
                "data_age_max": seconds(data.last), "data_age_p95": seconds(Percentile.of(95, sorted: data)),
                "oldest": oldest.map { .string($0.flat) } ?? .null,
            ],
        ]
    }

    /// A flat's ages, in seconds.
    private static func freshness(_ age: Ages.Flat) -> Value {
        [
            "flat": .string(age.flat), "last_success_age": seconds(age.lastSuccess), "data_age": seconds(age.data),
            "failing": .bool(age.isFailing),
        ]
    }

    /// To the millisecond.
    private static func seconds(_ seconds: Double?) -> Value {
        seconds.map { .real(($0 * 1000).rounded() / 1000) } ?? .null
    }
}

extension Poller {
    /// Does what an event of a device asks for; false if it changes nothing.
    @discardableResult
    public func handle(_ event: DeviceEvent) -> Bool {
        switch event {
        case .create(let flat): add(flat)
        case .delete(let flat): remove(flat)
        case .pull(let flat, let isPulled): setEnabled(flat, isPulled)
        }
    }

    /// Prometheus' text format.
    var metrics: String {
        let ages = ages
        var metrics = MetricsText()
        let counts: [(String, Int, String)] = [
            ("requests", counters.requests, "Requests that were sent."),
            ("successes", counters.successes, "Answers that were understood."),
            ("failures", counters.failures, "Requests that brought nothing."),
            ("retries", counters.retries, "Requests that repeated one that failed."),
            ("skips", counters.skips, "Polls that were left out."),
            ("readings", counters.readings, "Readings that were new."),
            ("duplicates", counters.duplicates, "Readings that were known."),
            ("unpublished", counters.unpublished, "Readings that the sink did not take."),
            ("refused", counters.refused, "Readings of channels beyond those that are remembered."),
            ("partial", counters.partial, "Answers of which a part was not understood."),
            ("counter_falls", counters.falls, "Readings of registers that showed less than before."),
            ("ahead", counters.ahead, "Readings whose time had not come."),
            ("missed", counters.missed, "Polls or sweeps that were due while the process was held up."),
            ("breaker_opened", counters.opened, "Times that a breaker opened."),
        ]
        for (name, count, help) in counts { metrics.counter("poller_\(name)", count, help) }
        metrics.gauge("poller_in_flight", "Requests that have not ended.", [("", Double(requestsInFlight))])
        metrics.gauge(
            "poller_permits_in_use", "Permits of the bulkhead that somebody has.", [("", Double(permitsInUse))])
        metrics.gauge(
            "poller_last_success_age_seconds", "Time since anything was fetched.", [("", ages.lastSuccess)])
        metrics.gauge(
            "poller_flat_last_success_age_seconds", "Time since the flat was fetched.",
            ages.flats.map { ("{flat=\"\($0.flat)\"}", $0.lastSuccess) })
        metrics.gauge(
            "poller_flat_data_age_seconds", "Time since the flat's newest measurement.",
            ages.flats.compactMap { flat in flat.data.map { ("{flat=\"\(flat.flat)\"}", $0) } })
        return metrics.text
    }
}

extension HTTPReply {
    /// A reply that is JSON.
    init(json: Value, _ status: HTTPResponse.Status = .ok) {
        self.init(json: ByteBuffer(bytes: JSONWriter.writeBytes(json)), status)
    }

    /// A reply of bytes that are JSON.
    init(json: ByteBuffer, _ status: HTTPResponse.Status = .ok) {
        var response = HTTPResponse(status: status)
        response.headerFields[.contentType] = "application/json"
        self.init(response, body: json)
    }
}
