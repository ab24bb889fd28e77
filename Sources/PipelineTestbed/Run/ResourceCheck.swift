import NIOCore
import Pipeline
import SimulatedTestbed
import Testbed

/// Asks the poller how many requests are in flight and how many permits are taken, and compares that with what may be.
struct ResourceCheck {
    private let pipeline: SimulatedPipeline

    static let claim: String = "requests in flight and permits stay within their limits, and end"
    /// How often it is asked at the end whether everything is idle, and the time between; no multiple of an interval of polls.
    private static let samplesMax: Int = 40
    private static let sampleInterval: Duration = .milliseconds(270)

    init(_ pipeline: SimulatedPipeline) {
        self.pipeline = pipeline
    }

    private struct Gauges {
        let inFlight: Double
        let permits: Double

        init?(_ metrics: String) {
            func value(_ name: String) -> Double? {
                metrics.split(separator: "\n").first { $0.hasPrefix(name + " ") }
                    .flatMap { Double($0.dropFirst(name.count + 1)) }
            }
            guard let inFlight = value("poller_in_flight"), let permits = value("poller_permits_in_use") else {
                return nil
            }
            (self.inFlight, self.permits) = (inFlight, permits)
        }
    }

    /// Looks once; does nothing where the poller does not answer.
    func look(_ client: ServiceClient) async throws {
        guard let gauges = try await gauges(client) else { return }
        let profile = pipeline.scenario.profile
        let requests = min(Poller.connectionsMax(of: profile), pipeline.scenario.flats * profile.overlap)
        compare(gauges.inFlight, requests, "requests in flight")
        compare(gauges.permits, profile.bulkhead?.total ?? 0, "permits in use")
    }

    private func compare(_ count: Double, _ limit: Int, _ what: String) {
        if count > Double(limit) || count < 0 { record("\(Int(count)) \(what), of at most \(limit)") }
    }

    /// Looks whether everything ends, when nothing is wrong any more.
    func run() async throws {
        guard let client = try await ServiceClient.make(pipeline, attemptsMax: 10) else { return }
        var (inFlight, permits) = (Double.infinity, Double.infinity)
        for _ in 0..<Self.samplesMax where inFlight > 0 || permits > 0 {
            guard let gauges = try await gauges(client) else {
                record("the poller does not answer")
                break
            }
            (inFlight, permits) = (min(inFlight, gauges.inFlight), min(permits, gauges.permits))
            try await Task.sleep(for: Self.sampleInterval)
        }
        await client.shutDown()
        if inFlight > 0 { record("there are always \(Int(min(inFlight, 1e9))) requests in flight or more") }
        if permits > 0 { record("there are always \(Int(min(permits, 1e9))) permits in use or more") }
    }

    private func gauges(_ client: ServiceClient) async throws -> Gauges? {
        guard let body = try await client.get("/metrics", of: PipelineServices.Name.poller) else { return nil }
        return Gauges(String(decoding: body.readableBytesView, as: UTF8.self))
    }

    private func record(_ message: String) {
        pipeline.deployment.monitor.record(
            InvariantFinding(message, entities: [PipelineServices.Name.poller.rawValue]), against: Self.claim)
    }
}
