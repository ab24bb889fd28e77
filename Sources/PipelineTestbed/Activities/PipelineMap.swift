import Faults
import Randomness
import Testbed

/// The names that a scenario's deployment has, for those who want to do something to it before it runs.
struct PipelineMap: Sendable {
    let scenario: Scenario
    /// Whom faults can hit.
    let names: DeploymentNames
    /// Machines that answer requests.
    let servers: [String]

    init(_ scenario: Scenario) {
        self.scenario = scenario
        let services = PipelineServices(
            scenario: scenario, seed: scenario.seed, schedules: DeviceScheduleFaults(scenario) { .zero })
        let deployment = services.deployment
        names = deployment.names
        servers = deployment.services.filter { $0.definition.port != nil }.flatMap { service in
            (1...service.replicas).map { service.definition.name.replica($0, of: service.replicas) }
        }
    }
}
