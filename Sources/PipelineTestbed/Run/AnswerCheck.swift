import Documents
import MeasurementServer
import Measurements
import NIOCore
import Pipeline
import SimulatedTestbed
import Testbed

/// Compares what the services answer with what is known to be true.
struct AnswerCheck {
    private let pipeline: SimulatedPipeline
    private let client: ServiceClient
    /// Whether something may be left unanswered: while faults act.
    private let mayFail: Bool

    static let claim: String = "what storage and gateway answer is true"

    init(_ pipeline: SimulatedPipeline, _ client: ServiceClient, mayFail: Bool) {
        self.pipeline = pipeline
        self.client = client
        self.mayFail = mayFail
    }

    // MARK: The measurement server

    /// The readings that the measurement server shows.
    func shown() async throws -> [Reading] {
        var readings: [Reading] = []
        for number in 0..<pipeline.scenario.flats {
            let flat = "SD\(number)"
            let path = pipeline.scenario.contract.path(of: flat)
            let authorization = pipeline.scenario.credentials?.authorization
            let server = PipelineServices.Name.measurementServer
            guard let body = try await client.get(path, of: server, authorization) else {
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
        let ready = try await client.get("/ready", of: PipelineServices.Name.gateway)
        if ready == nil { record("the gateway is not ready", PipelineServices.Name.gateway.rawValue) }
        for number in 0..<pipeline.scenario.flats {
            let flat = "SD\(number)"
            try await compareReadings(of: flat)
            try await compareLatest(of: flat)
            try await compareAge(of: flat)
            try await compareMeasurements(of: flat)
        }
        try await compareStorageAges()
    }

    /// Compares answers about one flat while faults act.
    func look(at flat: String) async throws {
        try await compareReadings(of: flat)
        try await compareLatest(of: flat)
    }

    /// What is stored of a flat, in order of time; an answer may also have what was stored since.
    private func stored(of flat: String) -> [Reading] {
        let location = Ledger.location(
            pipeline.deployment, PipelineServices.Name.storage, PipelineServices.File.storage)
        let all = (try? location.map(SQLiteStoredReadings.init)?.all()) ?? []
        return all.filter { $0.id.flat == flat }
            .sorted { ($0.id.milliseconds, $0.id.series) < ($1.id.milliseconds, $1.id.series) }
    }

    /// Tells the lives of the storage apart: what one showed, and had not synced, another need not have; nil while it ends.
    private var storageLife: Int? {
        guard !pipeline.isStorageStopping else { return nil }
        return pipeline.deployment.process(named: PipelineServices.Name.storage.rawValue)?.bootCount
    }

    /// A range from the middle of what is stored: the first moment belongs to it, the last does not.
    private func compareReadings(of flat: String) async throws {
        for service in [PipelineServices.Name.storage, PipelineServices.Name.gateway] {
            let (before, life) = (stored(of: flat), storageLife)
            guard let first = before.dropFirst(before.count / 3).first?.id.milliseconds,
                let last = before.last?.id.milliseconds, first < last
            else { return }
            let expected = Set(before.filter { (first..<last).contains($0.id.milliseconds) })
            let path = "/flats/\(flat)/readings?from=\(first)&to=\(last)"
            guard let answer = try await client.readings(path, of: service) else {
                unanswered("\(service) does not answer \(path)", flat)
                continue
            }
            guard let life, storageLife == life else { continue }
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

    private func compareLatest(of flat: String) async throws {
        func latest(_ readings: [Reading]) -> [Reading.Identity.Series: Reading] {
            Dictionary(readings.map { ($0.id.series, $0) }) { $0.id.milliseconds > $1.id.milliseconds ? $0 : $1 }
        }
        let (before, life) = (latest(stored(of: flat)), storageLife)
        let path = "/flats/\(flat)/latest"
        guard let answer = try await client.readings(path, of: PipelineServices.Name.gateway) else {
            return unanswered("the gateway does not answer \(path)", flat)
        }
        guard let life, storageLife == life else { return }
        let after = Set(stored(of: flat))
        let answered = latest(answer)
        for series in before.keys.sorted() {
            guard let reading = answered[series], after.contains(reading),
                reading.id.milliseconds >= before[series]?.id.milliseconds ?? .max
            else {
                return record(
                    "the gateway's latest of \(series) is \(answered[series]?.id.description ?? "missing"), and "
                        + "\(before[series]?.id.description ?? "nothing") is stored", flat)
            }
        }
    }

    /// The poller's age of a flat, as the gateway passes it on, against what the world saw.
    private func compareAge(of flat: String) async throws {
        guard let body = try await client.get("/freshness/\(flat)", of: PipelineServices.Name.gateway),
            let json = try? JSONReader.read(body.readableBytesView), let told = json["last_success_age"]?.number
        else { return record("the gateway does not answer /freshness/\(flat)", flat) }
        let known = pipeline.ages.age(of: flat)
        // Between the poller's look at its clock and ours lie the way back, a fetch perhaps, and rounding.
        if known > told + 1 || (told > known + 1 && known > 1) {
            record("the gateway says that \(flat) was fetched \(told) s ago; it was \(known) s ago", flat)
        }
    }

    /// The poller's latest readings of a flat, as the gateway passes them on: all were read, and none is older than what was acknowledged.
    private func compareMeasurements(of flat: String) async throws {
        let path = "/flats/\(flat)/measurements"
        guard let answer = try await client.readings(path, of: PipelineServices.Name.gateway) else {
            return record("the gateway does not answer \(path)", flat)
        }
        for reading in answer where !pipeline.ledger.wasRead(reading) {
            return record("the gateway answers \(path) with \(reading.id), which was not read", flat)
        }
    }

    /// How old the newest reading of each flat is, by the storage, against what is stored.
    private func compareStorageAges() async throws {
        let storage = PipelineServices.Name.storage
        guard let body = try await client.get("/freshness", of: storage),
            let json = try? JSONReader.read(body.readableBytesView), let flats = json["flats"]
        else { return record("the storage does not answer /freshness", storage.rawValue) }
        let now = WallClock.milliseconds
        for number in 0..<pipeline.scenario.flats {
            let flat = "SD\(number)"
            guard let newest = stored(of: flat).map(\.id.milliseconds).max() else { continue }
            let known = Double(now - newest) / 1000
            guard let told = flats[flat]?.number, abs(told - known) < Self.ageTolerance else {
                let told = flats[flat]?.number.map { "\($0) s" } ?? "unknown"
                return record(
                    "the storage says that the newest reading of \(flat) is \(told) old, not \(known) s", flat)
            }
        }
    }

    /// What may happen to an age in s between two looks: a new reading, and the way.
    private static let ageTolerance: Double = 2

    private func unanswered(_ message: String, _ entity: String) {
        if !mayFail { record(message, entity) }
    }

    private func record(_ message: String, _ entity: String) {
        pipeline.deployment.monitor.record(InvariantFinding(message, entities: [entity]), against: Self.claim)
    }
}
