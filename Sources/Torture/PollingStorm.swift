import Faults
import HTTP
import HTTPTypes
import NIOCore
import Ports
import SimulatedWorld
public import SimulationKernel

/// Many clients that poll one HTTP server over a network that loses, delays, slices and resets.
///
/// Its digest must repeat, too: here the tested code is NIO's, and the HTTP client and server.
public struct PollingStorm {
    /// Clients, each on a host of its own.
    public var clients: Int
    /// Virtual time that it runs for.
    public var duration: Duration
    /// Whether the network has faults.
    public var faults: Bool

    /// Describes a run; by default 1,000 clients for ten minutes with all faults.
    public init(clients: Int = 1000, duration: Duration = .seconds(600), faults: Bool = true) {
        self.clients = clients
        self.duration = duration
        self.faults = faults
    }

    /// What the clients saw.
    public struct Result: Sendable {
        /// Responses that came.
        public var responses: Int = 0
        /// Requests without one.
        public var failures: Int = 0
    }

    /// Runs the storm from one seed.
    ///
    /// - Throws: ``SimulationError`` when the run cannot begin.
    public func run(seed: Seed, recording: TraceRecording.Limits? = nil) throws -> (Outcome<Void>, Result) {
        let simulation = Simulation(seed: seed, options: .init(recording: recording))
        var link = Link.Options(latency: .uniform(min: .milliseconds(5), max: .milliseconds(40)))
        if faults { link.loss = Ratio(1, outOf: 200) } else { link.latency = .fixed(.milliseconds(20)) }
        let network = try Network(simulation, defaultLink: link)
        let box = ResultBox()
        try network.host("server") { ports in
            let responder = HTTPResponder.immediate { request, _ in
                HTTPReply(.ok, text: "{\"flat\":\"\(request.path ?? "")\"}", type: "application/json")
            }
            _ = try await HTTPServer.start(ports, at: Endpoint("server", 80), responder: responder)
        }
        for number in 0..<clients {
            let name = "client-\(number)"
            try network.host(name) { ports in try await Self.poll(ports, number: number, box) }
            if faults {
                let down = try network.link(from: "server", to: name)
                try down.setToxic(
                    Toxic("slices", .slicer(averageSize: 40, sizeVariation: 20, delay: .microseconds(300))))
                let reset = Toxic("reset", .resetPeer(after: .milliseconds(5)), toxicity: Ratio(1, outOf: 20))
                try network.link(from: name, to: "server").setToxic(reset)
            }
        }
        let outcome = try simulation.run(for: duration)
        return (outcome, box.result)
    }

    private static func poll(_ ports: SimulatedPorts, number: Int, _ box: ResultBox) async throws {
        let client = try await HTTPClient.make(ports)
        try await Task.sleep(for: .milliseconds(number * 5 % 5000))
        let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/flats/\(number)")
        while true {
            do {
                let (response, body) = try await client.send(request, to: Endpoint("server", 80))
                box.result.responses += 1
                Simulation.note("\(response.status.code)", UInt64(body.readableBytes))
            } catch {
                box.result.failures += 1
                Simulation.note("\(error)")
            }
            try await Task.sleep(for: .seconds(5))
        }
    }
}

/// Counts on the simulation's thread.
private final class ResultBox: @unchecked Sendable {
    var result: PollingStorm.Result = .init()
}
