/// The end of a service whose disk has failed it: said once, waited for by one.
///
/// Touched by its actor only.
final class ServiceStop {
    /// Why the service has stopped; nil while it works.
    private(set) var reason: PersistenceError?
    private let (reasons, teller) = AsyncStream.makeStream(of: PersistenceError.self)

    /// Stops the service, if it is an error that ends one.
    func note(_ error: PersistenceError) {
        guard error.endsService, reason == nil else { return }
        reason = error
        teller.yield(error)
    }

    /// Refuses work once the service has stopped.
    func check() throws(PersistenceError) {
        if let reason { throw .stopped(reason.description) }
    }

    /// Waits for the reason.
    ///
    /// - Throws: `CancellationError`.
    func wait() async throws -> PersistenceError {
        for await reason in reasons { return reason }
        throw CancellationError()
    }
}
