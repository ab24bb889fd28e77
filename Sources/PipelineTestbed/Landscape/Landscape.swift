import HTTPTypes
import MeasurementServer
import Pipeline
import Ports
import SimulatedWorld
import SimulationKernel

/// The pipeline's services on simulated machines: the measurement server, the poller, the gateway, and the machine that experiments.
final class Landscape {
    /// Where services listen; experiments reach them by these names.
    enum Service {
        static let measurementServer: Endpoint = Endpoint("measurement-server", 8080)
        static let poller: Endpoint = Endpoint("poller", 8080)
        static let gateway: Endpoint = Endpoint("gateway", 8080)
        static let experimenter: String = "experimenter"
    }

    /// The header by which requests ask the gateway to answer late.
    static let injectionHeader: String = "x-envoy-fault-delay-request"

    let network: Network
    let recorder: AgeRecorder
    /// The experimenting machine's way to the network, once it runs.
    private(set) var ports: SimulatedPorts?

    init(_ simulation: Simulation, _ scenario: Scenario) throws {
        let network = try Network(simulation, defaultLink: Link.Options(latency: .fixed(scenario.latency)))
        self.network = network
        let flats = MeasurementServer.flatNames(scenario.flats)
        let recorder = AgeRecorder(simulation, flats: flats, profile: scenario.profile)
        self.recorder = recorder
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
        try network.host(Service.poller.host) { ports in
            let poller = try await Poller.make(
                ports,
                options: Poller.Options(
                    profile: scenario.profile, contract: scenario.contract, endpoint: Service.measurementServer,
                    flats: flats, authorization: scenario.credentials?.authorization),
                sink: NoSink(), observer: { recorder.note($0) })
            try await PollerService.start(ports, at: Service.poller, poller: poller).run()
        }
        try network.host(Service.gateway.host) { ports in
            var options = Gateway.Options(upstream: Service.poller)
            options.injection = LatencyInjection(header: HTTPField.Name(Self.injectionHeader))
            _ = try await Gateway.start(ports, at: Service.gateway, options: options)
        }
        try network.host(Service.experimenter) { [unowned self] in self.ports = $0 }
    }
}

/// Nobody takes readings yet; the poller keeps the latest.
private struct NoSink: MeasurementSink {
    func publish(_ readings: [Reading]) async throws {}
}
