import Dispatch
import NIOCore

/// Where futures live that living code gets from the loop of an incarnation that is no more: each fails at once, and who
/// waits for it is told at once.
final class DeadEventLoop: EventLoop, @unchecked Sendable {
    static let shared: DeadEventLoop = DeadEventLoop()

    var inEventLoop: Bool { true }

    func execute(_ task: @escaping @Sendable () -> Void) { task() }

    func scheduleTask<T>(in: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        failed()
    }

    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        failed()
    }

    /// A task that never runs.
    func failed<T>() -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        promise.fail(EventLoopError.shutdown)
        return Scheduled(promise: promise) {}
    }

    func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
        makeFailedFuture(EventLoopError.shutdown)
    }

    @preconcurrency
    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        callback(nil)
    }

    func preconditionInEventLoop(file: StaticString, line: UInt) {}
}
