import Documents
import Experiments

/// Performs process activities by starting programs.
struct ProcessActivityProvider {
    let environment: [String: String]
    private let programs: Programs

    init(environment: [String: String]) {
        self.environment = environment
        programs = Programs(environment: environment)
    }

    func locate(_ program: String) -> String? { programs.locate(program) }

    /// Starts a program and waits for its end.
    ///
    /// - Returns: An object of `status`, `stdout` and `stderr`.
    /// - Throws: ``ActivityError``.
    func perform(_ call: ProcessCall) async throws(ActivityError) -> Value {
        let program = programs.locate(programs.expandingHome(call.path))
        let arguments: [String]
        switch call.arguments {
        case .none:
            guard let program else { throw .unexpected("'\(call.path)' cannot be found") }
            arguments = [program]
        case .list(let list):
            guard let program else { throw .unexpected("'\(call.path)' cannot be found") }
            arguments = [program] + list
        // A program that is not found shows as the shell's own error, as in the reference.
        case .shell(let line): arguments = ["/bin/sh", "-c", "\(program ?? "None") \(line)"]
        }
        let child = ChildProcess(
            path: arguments[0], arguments: arguments, environment: environment, timeout: call.timeout)
        switch await child.run() {
        case .ended(let status, let output, let errors):
            return ["status": .integer(status), "stdout": .string(text(output)), "stderr": .string(text(errors))]
        case .timedOut: throw .failed("process activity took too long to complete")
        case .cancelled: throw .interrupted
        case .notStarted(let reason): throw .unexpected("'\(call.path)' cannot be started: \(reason)")
        case .tooMuchOutput(let limit): throw .unexpected("'\(call.path)' wrote more than \(limit) bytes")
        }
    }

    /// UTF-8, and what is not, as ISO 8859-1.
    private func text(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = ""
        for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        return text
    }
}
