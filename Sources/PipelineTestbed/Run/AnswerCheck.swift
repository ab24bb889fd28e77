import Documents
import HTTP
import HTTPTypes
import MeasurementServer
import Measurements
import NIOCore
import Pipeline
import Ports
import SimulatedTestbed
import Testbed

/// Asks the services from outside, and compares what they answer with what is known to be true.
struct AnswerCheck {
    private let pipeline: SimulatedPipeline

    /// How often something is asked for before it counts as not answered; a second between.
    private static let attemptsMax: Int = 10
    static let claim: String = "what storage and gateway answer is true"

    init(_ pipeline: SimulatedPipeline) {
        self.pipeline = pipeline
    }

    // MARK: The measurement server

    /// The readings that the measurement server shows; nil if it cannot be asked.
    func shown() async throws -> [Reading]? {
        guard let client = try await client() else { return nil }
        defer { Task { await client.shutDown() } }
        var readings: [Reading] = []
        for number in 0..<pipeline.scenario.flats {
            let flat = "SD\(number)"
            let endpoint = Self.endpoint(PipelineServices.Name.measurementServer)
            let path = pipeline.scenario.contract.path(of: flat)
            guard let body = try await get(path, endpoint, client, pipeline.scenario.credentials?.authorization) else {
                record("the measurement server does not show \(flat)", flat)
                continue
            }
            if let payload = try? pipeline.scenario.contract.read(body.readableBytesView, of: flat) {
                readings += payload.readings
            }
        }
        return readings
    }

    // MARK: Storage and gateway

    /// Compares answers about every flat.
    func run() async throws {
        guard let client = try await client() else { return }
        let ready = try await get("/ready", Self.endpoint(PipelineServices.Name.gateway), client)
        if ready == nil { record("the gateway is not ready", PipelineServices.Name.gateway.rawValue) }
        for number in 0..<pipeline.scenario.flats {
            let flat = "SD\(number)"
            try await compareReadings(of: flat, client)
            try await compareLatest(of: flat, client)
            try await compareAge(of: flat, client)
        }
        await client.shutDown()
    }

    /// What is stored of a flat, in order of time; an answer may also have what was stored since.
    private func stored(of flat: String) -> [Reading] {
        let location = Ledger.location(
            pipeline.deployment, PipelineServices.Name.storage, PipelineServices.File.storage)
        let all = (try? location.map(SQLiteStoredReadings.init)?.all()) ?? []
        return all.filter { $0.id.flat == flat }
            .sorted { ($0.id.milliseconds, $0.id.series) < ($1.id.milliseconds, $1.id.series) }
    }

    /// A range from the middle of what is stored: the first moment belongs to it, the last does not.
    private func compareReadings(of flat: String, _ client: HTTPClient) async throws {
        let before = stored(of: flat)
        guard let first = before.dropFirst(before.count / 3).first?.id.milliseconds,
            let last = before.last?.id.milliseconds, first < last
        else { return }
        let expected = Set(before.filter { (first..<last).contains($0.id.milliseconds) })
        let path = "/flats/\(flat)/readings?from=\(first)&to=\(last)"
        for service in [PipelineServices.Name.storage, PipelineServices.Name.gateway] {
            guard let answer = try await readings(path, service, client) else {
                record("\(service) does not answer \(path)", flat)
                continue
            }
            let later = Set(stored(of: flat).filter { (first..<last).contains($0.id.milliseconds) })
            let answered = Set(answer)
            if let missing = expected.subtracting(answered).map(\.id.description).min() {
                record("\(service) leaves \(missing) out of \(path)", flat)
            }
            if let surplus = answered.subtracting(later).map(\.id.description).min() {
                record("\(service) answers \(path) with \(surplus), which is not stored", flat)
            }
            if answered.count != answer.count { record("\(service) answers \(path) with a reading twice", flat) }
            let times = answer.map(\.id.milliseconds)
            if times != times.sorted() { record("\(service) answers \(path) out of order", flat) }
        }
    }

    private func compareLatest(of flat: String, _ client: HTTPClient) async throws {
        func latest(_ readings: [Reading]) -> [Reading.Identity.Series: Reading] {
            Dictionary(readings.map { ($0.id.series, $0) }) { $0.id.milliseconds > $1.id.milliseconds ? $0 : $1 }
        }
        let before = latest(stored(of: flat))
        guard let answer = try await readings("/flats/\(flat)/latest", PipelineServices.Name.gateway, client) else {
            return record("the gateway does not answer /flats/\(flat)/latest", flat)
        }
        let after = latest(stored(of: flat))
        let answered = latest(answer)
        for series in before.keys.sorted() {
            guard let reading = answered[series], reading == before[series] || reading == after[series] else {
                return record(
                    "the gateway's latest of \(series) is \(answered[series]?.id.description ?? "missing"), and "
                        + "\(after[series]?.id.description ?? "nothing") is stored", flat)
            }
        }
    }

    /// The poller's age of a flat, as the gateway passes it on, against what the world saw.
    private func compareAge(of flat: String, _ client: HTTPClient) async throws {
        let endpoint = Self.endpoint(PipelineServices.Name.gateway)
        guard let body = try await get("/freshness/\(flat)", endpoint, client),
            let json = try? JSONReader.read(body.readableBytesView), let told = json["last_success_age"]?.number
        else { return record("the gateway does not answer /freshness/\(flat)", flat) }
        let known = pipeline.ages.age(of: flat)
        // Between the poller's look at its clock and ours lie the way back, a fetch perhaps, and rounding.
        if known > told + 1 || (told > known + 1 && known > 1) {
            record("the gateway says that \(flat) was fetched \(told) s ago; it was \(known) s ago", flat)
        }
    }

    // MARK: Requests

    private static func endpoint(_ service: ServiceName) -> Endpoint {
        Endpoint(service.rawValue, ServiceDefinition.usualPort)
    }

    private func client() async throws -> HTTPClient? {
        guard let ports = pipeline.deployment.ports else { return nil }
        return try await HTTPClient.make(ports)
    }

    private func readings(_ path: String, _ service: ServiceName, _ client: HTTPClient) async throws -> [Reading]? {
        guard let body = try await get(path, Self.endpoint(service), client),
            let json = try? JSONReader.read(body.readableBytesView)
        else { return nil }
        return try? Reading.list(json["readings"])
    }

    /// The body of an answer that is a success; nil if there is none after several attempts.
    private func get(
        _ path: String, _ endpoint: Endpoint, _ client: HTTPClient, _ authorization: HTTPField? = nil
    ) async throws -> ByteBuffer? {
        var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
        if let authorization { request.headerFields[.authorization] = authorization.value }
        for _ in 0..<Self.attemptsMax {
            if let answer = try? await client.send(request, to: endpoint), answer.response.status == .ok {
                return answer.body
            }
            try await Task.sleep(for: .seconds(1))
        }
        return nil
    }

    private func record(_ message: String, _ entity: String) {
        pipeline.deployment.monitor.record(InvariantFinding(message, entities: [entity]), against: Self.claim)
    }
}
