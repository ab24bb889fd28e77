import HTTP
import HTTPTypes
import NIOCore
import Ports
import SimulatedTestbed
import SimulationKernel
import Testbed

/// What a client of the tests' deployment saw.
enum PingObservation: Observation {
    case answered(by: String)
    case failed(String)

    var entities: [String] { ["client"] }
    var isNoteworthy: Bool { if case .failed = self { true } else { false } }
    var description: String {
        switch self {
        case .answered(let server): "answered by \(server)"
        case .failed(let reason): "not answered: \(reason)"
        }
    }
}

/// A client that asks each replica of a server ten times a second, and what it sees.
final class PingDeployment {
    private(set) var deployment: Deployment = Deployment()
    /// When each answer came, by server, and each failure, as time since the run began.
    private(set) var answers: [String: [Duration]] = [:]
    private(set) var failures: [(time: Duration, reason: String)] = []

    init(replicas: Int = 1, nodes: [NodeName] = [], restart: RestartPolicy = .standard, keepsAlive: Bool = true) {
        let server = ServiceDefinition("server", volumes: [.data]) { context in
            _ = try await HTTPServer.start(
                context.ports, at: context.endpoint,
                responder: .immediate { _, _ in HTTPReply(.ok, text: context.process, type: "text/plain") })
            context.reach("server.started")
        }
        let client = ServiceDefinition("client", port: nil, uses: ["server"]) { context in
            var options = HTTPClient.Options.standard
            options.total = .seconds(1)
            let client = try await HTTPClient.make(context.ports, options: options)
            let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
            while !Task.isCancelled {
                for endpoint in try context.endpoints(of: "server") {
                    do throws(HTTPFailure) {
                        let (_, body) = try await client.send(request, to: endpoint)
                        context.report(PingObservation.answered(by: String(buffer: body)))
                    } catch {
                        context.report(PingObservation.failed("\(error)"))
                    }
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        deployment.add(server, replicas: replicas, restart: restart, on: nodes)
        deployment.add(client)
    }

    /// Listens to a deployment that is made of this one.
    func watch(_ world: SimulatedDeployment) {
        world.log.listen { [unowned self] event in
            guard case .observed(let observation as PingObservation, _) = event.kind else { return }
            switch observation {
            case .answered(let server): answers[server, default: []].append(event.time)
            case .failed(let reason): failures.append((event.time, reason))
            }
        }
    }

    /// Answers of all servers in a time, in seconds since the run began.
    func answers(in seconds: Range<Double>) -> Int {
        answers.values.reduce(0) {
            $0 + $1.count { seconds.contains(Double($0.components.seconds) + Double($0.components.attoseconds) / 1e18) }
        }
    }
}
