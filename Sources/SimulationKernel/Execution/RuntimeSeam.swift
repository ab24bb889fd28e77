import CSystemSeam
import Randomness
// With ThreadExecutor.swift, the only file that touches the runtime's unfinished interface for custom executors. When a
// toolchain changes it, these break, and `verify` or RuntimeSeamTests say so.
@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) import _Concurrency

/// How Swift's runtime hands its jobs to the kernel of the thread that it is on, and to the platform elsewhere.
enum RuntimeSeam {
    /// The main actor's executor as the runtime knows it.
    static let mainExecutor: UnownedSerialExecutor = unsafe ThreadMainExecutor.shared.asUnownedSerialExecutor()
    /// An executor that owns nothing: jobs that run on it have to hop for every actor.
    static let hoppingExecutor: UnownedSerialExecutor = unsafe HoppingExecutor.shared.asUnownedSerialExecutor()

    /// Makes sure that clocks, randomness, executors and the layout of tasks are what the kernel relies on.
    ///
    /// - Throws: ``SimulationError/unsupportedPlatform(_:)`` with the first thing that is not.
    static func verify() throws(SimulationError) {
        if let problem = parts.lazy.compactMap(\.problem).first { throw .unsupportedPlatform(problem) }
    }

    /// What the kernel relies on, part by part, up to the first that is not as it has to be.
    static let parts: [PlatformPart] = {
        if let name = unsafe seam_missing() {
            let problem = "\(unsafe String(cString: name)) is not interposed; link the Swift runtime dynamically"
            return [PlatformPart(name: "interposition", problem: problem)]
        }
        var parts = [PlatformPart(name: "interposition", problem: nil)]
        // What the process does once, when it first draws or hashes, is not to fall into a run.
        var generator = SystemRandomNumberGenerator()
        _ = generator.next()
        _ = Hasher().finalize()
        unsafe RandomStream.observer.pointee = { stream, value in
            guard let state = Kernel.current, !state.value.isMuted else { return }
            state.value.record(.streamDraw, value, UInt64(stream))
        }
        let hasExecutor = Task<Never, Never>.defaultExecutor is ThreadExecutor
        parts.append(
            PlatformPart(
                name: "executor",
                problem: hasExecutor ? nil : "another executor factory was installed after Windkanal's"))
        if hasExecutor { parts.append(PlatformPart(name: "task layout", problem: taskLayoutProblem())) }
        return parts
    }()

    /// Runs one task by hand and looks at the words of it that the kernel uses.
    private static func taskLayoutProblem() -> String? {
        let different = "the layout of a task is not the one of Swift 6.3"
        let wall = Pinned(making: seam_wall_clock())
        let context = ThreadContext(monotonicBase: 0, wall: wall, strict: false)
        defer {
            context.free()
            wall.free()
        }
        context.enter()
        Task.detached {}
        ThreadContext.leave()
        guard let task = context.caught else {
            return "a new task did not reach the kernel's executor"
        }
        guard task.isTask, task.token.isNone else { return different }
        task.retain()
        defer { task.release() }
        let wasComplete = task.isComplete
        let token = TaskToken(bits: 0x5eed)
        task.token = token
        task.run()
        return !wasComplete && task.isComplete && task.token == token ? nil : different
    }
}
