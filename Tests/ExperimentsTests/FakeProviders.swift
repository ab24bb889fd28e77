import Documents

@testable import Experiments

/// Performs activities by a closure, and knows a few programs.
struct FakeProviders: ActivityProviders {
    var programs: Set<String> = ["true", "echo"]
    var body: @Sendable (ActivityCall) async throws(ActivityError) -> Value = { _ in
        ["status": 0, "stdout": "", "stderr": ""]
    }

    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value { try await body(call) }
    func locate(program: String) -> String? { programs.contains(program) ? "/bin/\(program)" : nil }
    func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] { functions.map { _ in nil } }
}
