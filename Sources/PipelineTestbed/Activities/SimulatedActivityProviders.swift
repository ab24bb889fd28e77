import Activities
import Documents
import Experiments
import Faults
import MeasurementServer
import SimulatedTestbed
import Testbed

/// Performs activities from the driver's machine: HTTP over its network, and functions of `windkanal.…` on the deployment; programs and other
/// Python do not run in a simulation.
struct SimulatedActivityProviders: ActivityProviders {
    let http: HTTPActivityProvider?
    let pipeline: SimulatedPipeline?
    /// What the deployment has; nil where it could not be read.
    let map: PipelineMap?

    /// Where services listen.
    private static let port: Int = ServiceDefinition.usualPort

    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        switch call {
        case .http(let call):
            guard let http else { throw .failed("the experimenting machine is down") }
            return try await http.perform(call)
        case .process(let call): throw .failed("the program '\(call.path)' does not run in the simulation")
        case .python(let call):
            guard call.module.hasPrefix("windkanal."), let pipeline else {
                throw .failed("the Python function \(call.module).\(call.function) does not run in the simulation")
            }
            return try await PipelineActivities.catalog.perform(
                call, in: pipeline, names: pipeline.deployment.names)
        }
    }

    func locate(program: String) -> String? { nil }

    func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] {
        functions.map { function in
            guard function.module.hasPrefix("windkanal.") else {
                return ActivityProblem(
                    "the Python module '\(function.module)' in activity '\(function.activity)' does not run in the simulation",
                    remedy: "take a function of windkanal.*; 'windkanal activities' shows them")
            }
            guard let activity = PipelineActivities.catalog.named(function.module, function.name) else {
                return ActivityProblem(
                    "activity '\(function.activity)': there is no \(function.module).\(function.name)",
                    remedy: "'windkanal activities' shows what there is")
            }
            if function.module == "windkanal.ledger", let map, map.names.disks.isEmpty {
                return ActivityProblem(
                    "activity '\(function.activity)': \(function.module).\(function.name) needs a landscape with 'persistence': "
                        + "without it nothing is kept that could be lost")
            }
            return activity.problem(of: function.arguments, undecided: function.undecided, names: map?.names)
                .map { ActivityProblem("activity '\(function.activity)': \($0)") }
        }
    }

    func outputKind(of function: PythonFunction) -> OutputKind? {
        PipelineActivities.catalog.named(function.module, function.name)?.output
    }

    // MARK: Requests

    func problem(of request: HTTPCall) -> ActivityProblem? {
        guard let map, let text = request.url.string, !text.contains("$"), let address = Address(text) else {
            return nil
        }
        guard map.servers.contains(address.host) else {
            return ActivityProblem(
                "the landscape has nothing that answers at '\(address.host)'",
                remedy: "there are \(map.servers.sorted().map { "\($0):\(Self.port)" }.joined(separator: ", "))")
        }
        guard address.port == Self.port else {
            return ActivityProblem(
                "nothing listens at port \(address.port) of '\(address.host)'",
                remedy: "services of a landscape listen at \(Self.port), in the clear")
        }
        return address.host == "measurement-server" ? problem(ofAdministration: request, address.path, map) : nil
    }

    /// What is wrong with a request to the measurement server's admin API.
    private func problem(ofAdministration request: HTTPCall, _ path: Substring, _ map: PipelineMap) -> ActivityProblem?
    {
        let parts = path.split(separator: "/")
        guard parts.first == "_windkanal", parts.last == "schedule" else { return nil }
        if parts.count == 4, parts[1] == "devices",
            let problem = DeviceScheduleFaults.problem(ofDevices: String(parts[2]), in: map.scenario)
        {
            return ActivityProblem(problem)
        }
        guard request.method.uppercased() == "PUT", let schedule = request.arguments,
            !JSONWriter.write(schedule).contains("${")
        else { return nil }
        do {
            _ = try DeviceSchedule(schedule)
            return nil
        } catch {
            return ActivityProblem(
                "the schedule is refused: \(error)", remedy: "docs/measurement-server.md has its form")
        }
    }
}

/// The parts of an address that say who is asked for what.
private struct Address {
    let host: String
    let port: Int
    let path: Substring

    init?(_ text: String) {
        guard let start = text.firstRange(of: "://") else { return nil }
        let isSecure = text[..<start.lowerBound].lowercased() == "https"
        let rest = text[start.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        path = rest.dropFirst(authority.count).prefix { !"?#".contains($0) }
        let place = authority.split(separator: "@").last ?? ""
        let parts = place.split(separator: ":", maxSplits: 1)
        guard let name = parts.first else { return nil }
        host = name.lowercased()
        guard parts.count == 2 else {
            port = isSecure ? 443 : 80
            return
        }
        guard let number = Int(parts[1]) else { return nil }
        port = number
    }
}
