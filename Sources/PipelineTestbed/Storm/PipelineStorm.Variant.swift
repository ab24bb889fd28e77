import Measurements
import Pipeline

extension PipelineStorm {
    /// A pipeline that storms are let loose on: as it is, or with a mistake that they must find.
    public struct Variant: Sendable {
        /// Its name.
        public let name: String
        /// The mistake.
        let change: @Sendable (inout Persistence) -> Void
        /// Whether nothing may be lost.
        public let isSafe: Bool

        /// The pipeline as it is.
        public static let asItIs: Variant = variant("as-it-is", isSafe: true) { _ in }

        /// The pipeline, and what it would be with a mistake.
        public static let all: [Variant] = [
            asItIs,
            variant("sends-from-memory") {
                $0.sender = .memory(acks: .all, readingsMax: 10_000, deliveryTimeout: .seconds(600))
            },
            variant("acks-of-the-leader") { $0.sender = .outbox(.leader, keep: .zero) },
            variant("no-acks") { $0.sender = .outbox(.none, keep: .zero) },
            variant("commits-before-it-writes") { $0.commitsBeforeProcessing = true },
            variant("storage-does-not-sync") { $0.storageSyncs = false },
            variant("storage-trusts-its-log") {
                $0.storageRules.rewritesOnOpen = false
                $0.storageRules.checkpointsOnOpen = false
                $0.storageRules.recordsBatches = false
            },
            variant("storage-deletes-its-journal") {
                $0.storageRules.journal = "DELETE"
                // Who has a file alone empties the journal and does not delete it.
                $0.storageRules.locksExclusively = false
                $0.storageRules.rewritesOnOpen = false
            },
        ]

        /// The variant of a name; nil if there is none.
        public static func named(_ name: String) -> Variant? { all.first { $0.name == name } }

        private static func variant(
            _ name: String, isSafe: Bool = false, _ change: @escaping @Sendable (inout Persistence) -> Void
        ) -> Variant {
            Variant(name: name, change: change, isSafe: isSafe)
        }
    }
}
