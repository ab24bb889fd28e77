public import Randomness
public import SimulatedWorld

extension PipelineStorm {
    /// Storms against the simulated disk itself: a disk that was not what it claims to be must change what they say.
    ///
    /// A disk that is too friendly hides a mistake that storms find on the right one; a disk that syncs nothing loses what the sound pipeline had
    /// acknowledged.
    public struct DiskCheck: Sendable {
        /// What is wrong with the disk.
        public let sabotage: DiskSabotage
        /// The pipeline whose storms tell.
        public let variant: Variant

        /// A check for each sabotage.
        public static let all: [DiskCheck] = DiskSabotage.allCases.compactMap { sabotage in
            let name =
                switch sabotage {
                case .syncsDoNothing: "as-it-is"
                case .failedSyncsAreMadeGood: "storage-trusts-its-log"
                case .cutsLoseNothing: "storage-does-not-sync"
                case .entriesAreDurableAtOnce: "storage-deletes-its-journal"
                }
            return Variant.named(name).map { DiskCheck(sabotage: sabotage, variant: $0) }
        }

        /// Whether a seed's storm says the same on the right disk and on this one.
        ///
        /// - Returns: For each of the two, whether something was lost.
        /// - Throws: ``SimulationError`` when simulations cannot run here.
        public func run(seed: Seed) throws -> (isLostOnTheRightDisk: Bool, isLostOnThisDisk: Bool) {
            let recipe = StormRecipe(seed: seed)
            return (
                try PipelineStorm(recipe, variant: variant).run().stormProblem != nil,
                try PipelineStorm(recipe, variant: variant, sabotage: sabotage).run().stormProblem != nil
            )
        }
    }
}
