public import Documents
public import Experiments
import HTTPActivities
import NIOCore
import NIOPosix
import NIOSSL
import Ports
import Synchronization

/// Performs activities on this machine: programs, sockets and the user's Python.
public final class RealActivityProviders: ActivityProviders, ControlProvider, Sendable {
    private let process: ProcessActivityProvider
    private let python: PythonActivityProvider
    /// Made when the first request is sent: most experiments of processes never need it.
    private let group: Mutex<MultiThreadedEventLoopGroup?> = Mutex(nil)

    /// Makes providers whose programs get this environment; `log` hears what Python functions tell.
    public init(
        environment: [String: String], log: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        process = ProcessActivityProvider(environment: environment)
        python = PythonActivityProvider(environment: environment, log: log)
    }

    /// The event loop for everything that goes over sockets.
    var eventLoop: any EventLoop {
        group.withLock { group in
            let existing = group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
            group = existing
            return existing.next()
        }
    }

    /// Performs an activity.
    public func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        switch call {
        case .process(let call): try await process.perform(call)
        case .python(let call): try await python.perform(call)
        case .http(let call):
            try await HTTPActivityProvider(RealPorts(eventLoop: eventLoop), security: Self.security).perform(call)
        }
    }

    /// The program that a process activity would start.
    public func locate(program: String) -> String? { process.locate(program) }

    /// What is wrong with Python functions.
    public func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] {
        zip(functions, await python.problems(of: functions)).map { function, problem in
            guard problem != nil, function.module.hasPrefix("windkanal.") else { return problem }
            return ActivityProblem(
                "\(function.module).\(function.name) in activity '\(function.activity)' is performed in a simulated landscape only",
                remedy: "give the experiment the extension 'windkanal'")
        }
    }

    /// Calls a function of a control.
    ///
    /// - Throws: ``ActivityError/interrupted`` when the calling task was cancelled.
    public func call(_ call: ControlCall) async throws(ActivityError) -> ControlOutcome { try await python.call(call) }

    /// What is wrong with controls.
    public func problems(of controls: [Control]) async -> [ControlProblem?] { await python.problems(of: controls) }

    /// TLS with the system's trusted certificates, or without looking at the server's.
    @Sendable static func security(verifies: Bool) throws -> (any ChannelSecurity)? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = verifies ? .fullVerification : .none
        return try TLSSecurity(configuration)
    }
}
