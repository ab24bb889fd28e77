import HTTPTypes
import MeasurementServer
import Measurements
import Pipeline
import Ports
import SimulatedWorld
import SimulationKernel

/// The pipeline's services on simulated machines: the measurement server, the poller, what keeps readings, the gateway, and the machine that
/// experiments.
final class Landscape {
    /// Where services listen; experiments reach them by these names.
    enum Service {
        static let measurementServer: Endpoint = Endpoint("measurement-server", 8080)
        static let poller: Endpoint = Endpoint("poller", 8080)
        static let broker: Endpoint = Endpoint("broker", 8080)
        static let storage: Endpoint = Endpoint("storage", 8080)
        static let gateway: Endpoint = Endpoint("gateway", 8080)
        static let experimenter: String = "experimenter"
    }

    /// The header by which requests ask the gateway to answer late.
    static let injectionHeader: String = "x-envoy-fault-delay-request"

    let simulation: Simulation
    let network: Network
    let recorder: AgeRecorder
    let ledger: Ledger
    /// How long a packet takes where nothing is wrong.
    let usualLatency: Duration
    /// The machines that faults may hit, by name.
    var machines: [String: Machine] = [:]
    /// The experimenting machine's way to the network, once it runs.
    private(set) var ports: SimulatedPorts?

    init(_ simulation: Simulation, _ scenario: Scenario) throws {
        self.simulation = simulation
        usualLatency = scenario.latency
        network = try Network(simulation, defaultLink: Link.Options(latency: .fixed(scenario.latency)))
        let flats = MeasurementServer.flatNames(scenario.flats)
        recorder = AgeRecorder(simulation, flats: flats, profile: scenario.profile)
        ledger = Ledger(simulation)
        let seed = simulation.seed
        try network.host(Service.measurementServer.host) { ports in
            var options = MeasurementServer.Options()
            options.contract = scenario.contract
            options.flats = scenario.flats
            options.rooms = scenario.rooms
            options.credentials = scenario.credentials
            options.series = scenario.series
            _ = try await MeasurementServer.start(ports, at: Service.measurementServer, seed: seed, options: options)
        }
        if let persistence = scenario.persistence {
            try addPersistence(persistence, scenario, flats: flats)
        } else {
            try addPoller(scenario, flats: flats)
        }
        let storage = scenario.persistence == nil ? nil : Service.storage
        try network.host(Service.gateway.host) { ports in
            var options = Gateway.Options(upstream: Service.poller)
            options.storage = storage
            options.injection = LatencyInjection(header: HTTPField.Name(Self.injectionHeader))
            _ = try await Gateway.start(ports, at: Service.gateway, options: options)
        }
        try network.host(Service.experimenter) { [unowned self] in self.ports = $0 }
    }

    /// A poller that keeps the latest readings and gives none away.
    private func addPoller(_ scenario: Scenario, flats: [String]) throws {
        let recorder = recorder
        try network.host(Service.poller.host) { ports in
            let poller = try await Poller.make(
                ports, options: Self.pollerOptions(scenario, flats), sink: NoSink(), observer: { recorder.note($0) })
            try await PollerService.start(ports, at: Service.poller, poller: poller).run()
        }
    }
}

/// Nobody takes readings; the poller keeps the latest.
private struct NoSink: MeasurementSink {
    func publish(_ readings: [Reading]) async throws {}
}
