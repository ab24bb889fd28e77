import Documents
import Experiments
import HTTPActivities
import SimulatedWorld

/// Performs activities from the experimenting machine: HTTP over its network, and functions of `windkanal.…` on the landscape; programs and
/// other Python do not run in a simulation.
struct SimulatedActivityProviders: ActivityProviders {
    let http: HTTPActivityProvider?
    let landscape: LandscapeActivityProvider?

    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        switch call {
        case .http(let call):
            guard let http else { throw .failed("the experimenting machine is down") }
            return try await http.perform(call)
        case .process(let call): throw .failed("the program '\(call.path)' does not run in the simulation")
        case .python(let call):
            guard call.module.hasPrefix("windkanal."), let landscape else {
                throw .failed("the Python function \(call.module).\(call.function) does not run in the simulation")
            }
            return try landscape.perform(call)
        }
    }

    func locate(program: String) -> String? { nil }

    func problems(of functions: [PythonFunction]) async -> [String?] {
        functions.map { function in
            guard function.module.hasPrefix("windkanal.") else {
                return
                    "the Python module '\(function.module)' in activity '\(function.activity)' does not run in the simulation"
            }
            guard let activity = LandscapeActivity.named(function.module, function.name) else {
                return
                    "activity '\(function.activity)': there is no \(function.module).\(function.name); 'windkanal activities' shows what there is"
            }
            return activity.problem(of: function.arguments).map { "activity '\(function.activity)': \($0)" }
        }
    }
}
