import Documents
import Experiments
public import Faults
import SimulatedTestbed
import Testbed

/// The activities of our own: those of every test-bed, and what the ledger knows.
public enum PipelineActivities {
    /// What an experiment calls, for those who list it.
    public struct Listing: Sendable {
        /// The module.
        public let module: String
        /// The function in it.
        public let function: String
        /// Whether it only looks.
        public let isProbe: Bool
        /// What it does.
        public let summary: String
        /// What it is given.
        public let parameters: [Parameter]
    }

    /// Every activity, by module and function.
    public static var listing: [Listing] {
        catalog.activities.map {
            Listing(
                module: $0.module, function: $0.function, isProbe: $0.isProbe, summary: $0.summary,
                parameters: $0.parameters)
        }
    }

    private static let controller: @Sendable (SimulatedPipeline) -> any FaultController = { $0.deployment.faults }

    static let catalog: ActivityCatalog<SimulatedPipeline> = {
        var activities = ActivityDefinition<SimulatedPipeline>.faults(by: controller)
        activities += ActivityDefinition<SimulatedPipeline>.healing(by: controller)
        activities += [schedule, isUp] + ledger
        return ActivityCatalog(activities.sorted { ($0.module, $0.isProbe ? 1 : 0) < ($1.module, $1.isProbe ? 1 : 0) })
    }()

    private static let schedule: ActivityDefinition<SimulatedPipeline> = .action(
        "windkanal.device", "schedule",
        "Lets devices do wrong what a schedule says, as the measurement server's own API does.",
        [
            .optional("devices", "a flat, or a flat and a room as in SD3:1: all", .string),
            .required("schedule", "a window, or windows (docs/measurement-server.md)", .object),
        ]
    ) { arguments, pipeline async throws(ActivityError) in
        let fault = CustomFault(
            DeviceScheduleFaults.name, FaultTarget(arguments.string("devices") ?? FaultTarget.everybody.name),
            arguments.values["schedule"]?.object ?? [:])
        do throws(FaultError) {
            try pipeline.deployment.faults.apply(.custom(fault))
        } catch {
            throw .failed(error.description)
        }
    }

    private static let isUp: ActivityDefinition<SimulatedPipeline> = .probe(
        "windkanal.service", "is_up", "Whether a service runs.",
        [.required("service", "a service, a replica of one, or a node", .process)], .truth
    ) { arguments, pipeline in
        .bool(pipeline.deployment.processes(of: arguments.target("service")).allSatisfy(\.isUp))
    }

    private static let ledger: [ActivityDefinition<SimulatedPipeline>] = [
        count("lost", "How many acknowledged readings are nowhere any more.") { $0.lost.count },
        count("pending", "How many acknowledged readings are on their way on some disk.") { $0.pending },
        count("stored", "How many acknowledged readings are in the storage.") { $0.stored },
        count("not_kept", "How many readings were read, could not be kept, and are no longer shown by the server.") {
            $0.notKept
        },
        .probe("windkanal.ledger", "audit", "What became of all readings.", [], .object) {
            _, pipeline async throws(ActivityError) in try readable(pipeline.audit()).document
        },
    ]

    private static func count(
        _ function: String, _ summary: String, _ count: @escaping @Sendable (LedgerAudit) -> Int
    ) -> ActivityDefinition<SimulatedPipeline> {
        .probe("windkanal.ledger", function, summary, [], .number) { _, pipeline async throws(ActivityError) in
            .integer(count(try readable(pipeline.audit())))
        }
    }

    private static func readable(_ audit: LedgerAudit) throws(ActivityError) -> LedgerAudit {
        if let problem = audit.unreadable.first { throw .failed(problem) }
        return audit
    }
}

extension LedgerAudit {
    /// What became of all readings, as an object of a document.
    var document: Value {
        [
            "read": .integer(read), "acknowledged": .integer(acknowledged),
            "stored": .integer(stored), "pending": .integer(pending),
            "lost": .integer(lost.count), "recovered": .integer(recovered),
            "not_kept": .integer(notKept), "to_be_read_again": .integer(readable),
            "duplicated": .integer(duplicated), "unexpected": .integer(unexpected.count),
            "never_seen": .integer(unseen), "violations": .array(told.map { .string($0) }),
            "unreadable": .array(unreadable.map { .string($0) }),
        ]
    }
}
