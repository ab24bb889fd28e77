import Faults
import Pipeline
import Ports
import SimulatedTestbed
import Testbed

/// Lets a record that is no reading be appended to the topic of measurements: `custom name=strange-record target=measurements-0`.
final class StrangeRecords: CustomFaultHandler, @unchecked Sendable {
    static let name: String = "strange-record"

    let name: String = StrangeRecords.name
    private let topic: BrokerTopic
    private var hits: [String: Int] = [:]
    private var attempts: [String: Int] = [:]
    /// The deployment that the records go to, once it is there.
    weak var deployment: SimulatedDeployment?

    init(_ topic: BrokerTopic) {
        self.topic = topic
    }

    func apply(_ fault: CustomFault) throws(FaultError) {
        let partitions = (0..<topic.partitions).map { TopicPartition(topic.name, $0) }
        guard let partition = partitions.first(where: { $0.description == fault.target.name }) else {
            throw FaultError("there is no partition '\(fault.target.name)' of measurements")
        }
        attempts[fault.target.name, default: 0] += 1
        guard let deployment, let ports = deployment.ports else { return }
        let endpoint = Endpoint(PipelineServices.Name.broker.rawValue, ServiceDefinition.usualPort)
        Task {
            guard let broker = try? await HTTPBrokerClient.make(ports, endpoint: endpoint) else { return }
            let message = BrokerMessage(key: "stranger", value: #"{"flat": "SD0", "value": "warm"}"#)
            do throws(BrokerError) {
                _ = try await broker.produce([message], to: partition, from: nil, acks: .all)
                hits[fault.target.name, default: 0] += 1
            } catch {
                // Nobody there: it hit nothing.
            }
            await broker.shutDown()
        }
    }

    func revert(_ fault: CustomFault) {}

    /// How many records a partition may have got.
    func attempts(for partition: TopicPartition) -> Int { attempts[partition.description] ?? 0 }

    func hits(of target: FaultTarget) -> Int { hits[target.name] ?? 0 }
}
