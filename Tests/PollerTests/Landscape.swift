import Documents
import HTTP
import HTTPTypes
import MeasurementServer
import Measurements
import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

@testable import Pipeline

/// A measurement server, a poller that runs, a gateway, and a client that scripts speak through.
struct TestLandscape: Sendable {
    let client: HTTPClient
    let poller: Poller
    let sink: RecordingSink
    let events: EventLog

    static let server: Endpoint = Endpoint("server", 80)
    static let service: Endpoint = Endpoint("poller", 80)
    static let gateway: Endpoint = Endpoint("gateway", 80)

    /// Runs a script beside a poller that runs.
    static func run(
        _ profile: PollerProfile, flats: [String] = ["SD0", "SD1"], mock: MeasurementServer.Options? = nil,
        responder: HTTPResponder? = nil, configure: @escaping @Sendable (inout Poller.Options) -> Void = { _ in },
        _ script: @escaping @Sendable (TestLandscape) async throws -> Void
    ) throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let box = Box()
        let (sink, events) = (RecordingSink(), EventLog())
        try network.host("server") { ports in
            if let responder {
                _ = try await HTTPServer.start(ports, at: server, responder: responder)
            } else {
                var options = MeasurementServer.Options()
                options.flats = 5
                options.rooms = 2
                _ = try await MeasurementServer.start(ports, at: server, seed: 1, options: mock ?? options)
            }
        }
        try network.host("poller") { ports in
            var options = Poller.Options(profile: profile, endpoint: server, flats: flats)
            configure(&options)
            let poller = try await Poller.make(
                ports, options: options, sink: sink, observer: { events.entries.append($0) })
            box.poller = poller
            try await PollerService.start(ports, at: service, poller: poller).run()
        }
        try network.host("gateway") { ports in
            var options = Gateway.Options(upstream: service)
            options.injection = LatencyInjection(header: HTTPField.Name("x-delay"))
            _ = try await Gateway.start(ports, at: gateway, options: options)
        }
        try network.host("client") { box.ports = $0 }
        try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            let ports = try XCTUnwrap(box.ports)
            let client = try await HTTPClient.make(ports, options: .standard)
            try await script(
                TestLandscape(client: client, poller: try XCTUnwrap(box.poller), sink: sink, events: events))
            await client.shutDown()
        }.get()
    }

    /// Sends a request; status and body.
    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String = "", to endpoint: Endpoint = Self.service,
        fields: [(String, String)] = []
    ) async throws -> (status: Int, body: Value, text: String) {
        var request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
        for (name, value) in fields { request.headerFields[try XCTUnwrap(HTTPField.Name(name))] = value }
        let answer = try await client.send(request, body: ByteBuffer(string: body), to: endpoint)
        let text = String(buffer: answer.body)
        return (answer.response.status.code, (try? JSONReader.read(text.utf8)) ?? .null, text)
    }

    /// Asks for something.
    func get(
        _ path: String, to endpoint: Endpoint = Self.service, fields: [(String, String)] = []
    ) async throws -> (status: Int, body: Value, text: String) {
        try await send(.get, path, to: endpoint, fields: fields)
    }

    /// Sets a schedule of the measurement server.
    func schedule(_ target: String, _ schedule: String) async throws {
        let path = target == "*" ? "schedule" : "devices/\(target)/schedule"
        let answer = try await send(.put, "/_windkanal/\(path)", schedule, to: Self.server)
        XCTAssertEqual(answer.status, 200, answer.text)
    }

    /// Takes all schedules back.
    func heal() async throws { try await send(.delete, "/_windkanal/schedules", to: Self.server) }

    func sleep(_ seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }
}

private final class Box: @unchecked Sendable {
    var poller: Poller?
    var ports: SimulatedPorts?
}

/// What a poller told; on the simulation's one thread.
final class EventLog: @unchecked Sendable {
    var entries: [PollerEvent] = []

    func count(_ matches: (PollerEvent) -> Bool) -> Int { entries.count(where: matches) }
}

/// Keeps what is published, fails or waits as it is told.
final class RecordingSink: MeasurementSink, @unchecked Sendable {
    struct Refusal: Error {}

    var isFailing: Bool = false
    var delay: Duration = .zero
    private(set) var readings: [Reading] = []

    func publish(_ readings: [Reading]) async throws {
        if delay > .zero { try await Task.sleep(for: delay) }
        if isFailing { throw Refusal() }
        self.readings += readings
    }

    var duplicates: Int { readings.count - Set(readings.map(\.id)).count }
}
