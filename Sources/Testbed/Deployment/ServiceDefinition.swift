/// A service, written once: what it is called, what it needs, and what it does, wherever it runs.
///
/// Nothing in it says whether its machines, network and disks are simulated.
public struct ServiceDefinition: Sendable {
    /// When a service counts as ready.
    public enum Readiness: Hashable, Sendable {
        /// As soon as its process runs.
        case running
        /// When it accepts connections.
        case listening
        /// When it answers a GET of a path with 200.
        case http(path: String)
    }

    /// What it is called.
    public let name: ServiceName
    /// The services that it asks.
    public let uses: [ServiceName]
    /// The disks that each replica has of its own.
    public let volumes: [VolumeName]
    /// The port that it listens on; nil for what only asks others.
    public let port: Int?
    /// When it counts as ready.
    public let readiness: Readiness
    /// What it does: returning means that it goes on in the background, throwing that it has failed.
    public let run: @Sendable (ServiceContext) async throws -> Void

    /// The port that services listen on where nothing else is said.
    public static let usualPort: Int = 8080

    /// Makes a definition.
    ///
    /// - Parameters:
    ///   - name: What it is called.
    ///   - port: The port that it listens on; nil for what only asks others.
    ///   - uses: The services that it asks: faults are drawn for what is between them.
    ///   - volumes: The disks that each replica has of its own.
    ///   - readiness: When it counts as ready.
    ///   - run: What it does.
    public init(
        _ name: ServiceName, port: Int? = usualPort, uses: [ServiceName] = [], volumes: [VolumeName] = [],
        readiness: Readiness = .listening, run: @escaping @Sendable (ServiceContext) async throws -> Void
    ) {
        self.name = name
        self.port = port
        self.uses = uses
        self.volumes = volumes
        self.readiness = port == nil ? .running : readiness
        self.run = run
    }
}

/// What whoever watches over a process does when it has ended.
public enum RestartPolicy: Hashable, Sendable {
    /// Nothing.
    case never
    /// Starts it again so long after it failed.
    case onFailure(after: Duration)

    /// Two seconds after a failure.
    public static let standard: RestartPolicy = .onFailure(after: .seconds(2))
}
