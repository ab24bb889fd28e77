public import Activities
public import Experiments
import SocketWorld

extension RealActivityProviders {
    /// Makes performers that send requests over this machine's sockets.
    ///
    /// - Parameters:
    ///   - environment: The environment of programs and of Python.
    ///   - log: Takes what Python functions log.
    public convenience init(
        environment: [String: String], log: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        let sockets = LazySockets()
        self.init(
            environment: environment,
            http: { HTTPActivityProvider(sockets.ports, security: TLSSecurity.system) }, log: log)
    }
}
