import Documents
import Experiments
import HTTPActivities
import SimulatedWorld

/// Performs activities from the experimenting machine; programs and Python do not run in a simulation.
struct SimulatedActivityProviders: ActivityProviders {
    let http: HTTPActivityProvider?

    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        switch call {
        case .http(let call):
            guard let http else { throw .failed("the experimenting machine is down") }
            return try await http.perform(call)
        case .process(let call): throw .failed("the program '\(call.path)' does not run in the simulation")
        case .python(let call):
            throw .failed("the Python function \(call.module).\(call.function) does not run in the simulation")
        }
    }

    func locate(program: String) -> String? { nil }

    func problems(of functions: [PythonFunction]) async -> [String?] {
        functions.map { "the Python module '\($0.module)' in activity '\($0.activity)' does not run in the simulation" }
    }
}
