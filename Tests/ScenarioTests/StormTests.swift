import Documents
import Experiments
import Faults
import Pipeline
import SimulatedWorld
import SimulationKernel
import Testbed
import XCTest

@testable import PipelineTestbed

/// Storms: drawn from seeds, played from data, and sabotaged.
final class StormTests: XCTestCase {
    // The paths on which readings are lost, each on purpose.
    func testEveryPathOfLossIsFoundAndTheSoundPipelineHasNone() throws {
        for variant in PipelineStorm.Variant.all {
            // As many as are needed: all of a few, or until the mistake is found.
            let seeds: ClosedRange<UInt64> = variant.isSafe ? 1...4 : 1...40
            var problem: String?
            for seed in seeds where problem == nil {
                problem = try PipelineStorm(StormRecipe(seed: Seed(seed)), variant: variant).run().stormProblem
            }
            XCTAssertEqual(problem == nil, variant.isSafe, "\(variant.name): \(problem ?? "nothing found")")
        }
    }

    func testAStormPlayedFromItsFileIsTheStormOfItsSeed() throws {
        for seed in [3, 7] as [Seed] {
            let recipe = StormRecipe(seed: seed)
            let drawn = try PipelineStorm(recipe).run()
            let played = try PipelineStorm(StormRecipe(try JSONReader.readDocument(recipe.text.utf8))).run()
            XCTAssertEqual(drawn.digest, played.digest)
            XCTAssertEqual(drawn.audit, played.audit)
            XCTAssertEqual(drawn.faults, played.faults)
            XCTAssertGreaterThan(drawn.faults.count, 10)
            let audit = try XCTUnwrap(drawn.audit)
            XCTAssertEqual(
                audit.read,
                audit.stored + audit.pending + audit.lost.count + audit.recovered + audit.notKept + audit.readable
                    + audit.unexpected.count, audit.text)
        }
    }

    // Variety, not seeds, is what finds mistakes.
    func testRecipesUseEveryKindOfFaultAndVaryTheLandscape() throws {
        var kinds: Set<String> = []
        var landscapes: [String: Set<String>] = [:]
        for seed in 1...200 as ClosedRange<UInt64> {
            let scenario = try XCTUnwrap(try Scenario(of: StormRecipe(seed: Seed(seed)).experiment))
            for fault in scenario.faults.faults { kinds.insert(fault.fault.kind) }
            let persistence = try XCTUnwrap(scenario.persistence)
            for (part, value) in [
                ("flats", "\(scenario.flats)"), ("rooms", "\(scenario.rooms)"), ("profile", scenario.profile.name),
                ("partitions", "\(persistence.partitions)"), ("ingesters", "\(persistence.ingesters)"),
                ("retention", "\(persistence.retention != nil)"), ("sender", "\(persistence.sender)"),
                ("checkpoint", "\(persistence.brokerRules.checkpointMessages)"), ("batch", "\(persistence.batch ?? 0)"),
            ] { landscapes[part, default: []].insert(value) }
        }
        XCTAssertEqual(kinds, Set(FaultDefinition.all.map(\.name)))
        for (part, values) in landscapes { XCTAssertGreaterThan(values.count, 1, part) }
    }

    // Every rare path has a name that no other has, and storms reach most of them soon; all of them is what `lab storm --check-marks` asks for.
    func testStormsReachRarePathsAndTieFaultsToThem() throws {
        XCTAssertEqual(Set(StormMarks.all).count, StormMarks.all.count)
        XCTAssertTrue(Set(StormMarks.triggers).isSubset(of: StormMarks.all))
        var reached: Set<Mark> = []
        var tied = 0
        for seed in 1...6 as ClosedRange<UInt64> {
            let recipe = StormRecipe(seed: Seed(seed))
            let scenario = try XCTUnwrap(try Scenario(of: recipe.experiment))
            tied += scenario.faults.faults.count { if case .on = $0.trigger { true } else { false } }
            reached.formUnion(try PipelineStorm(recipe).run().marks.keys)
        }
        let refused = Mark(Waypoint.ingesterRefused.rawValue)
        XCTAssertTrue(reached.isSubset(of: StormMarks.all + [refused]), "\(reached.subtracting(StormMarks.all))")
        XCTAssertGreaterThan(reached.count, StormMarks.all.count / 2)
        XCTAssertGreaterThan(tied, 10)
    }

    // A disk that is not what it claims to be changes what a storm says.
    func testEveryWayInWhichTheDiskCouldBeTooFriendlyIsNoticed() throws {
        XCTAssertEqual(PipelineStorm.DiskCheck.all.map(\.sabotage), DiskSabotage.allCases)
        for check in PipelineStorm.DiskCheck.all {
            // The seeds that 'lab storm --check-disks' names, and some around them.
            let seeds: ClosedRange<UInt64> =
                switch check.sabotage {
                case .failedSyncsAreMadeGood: 16...20
                case .entriesAreDurableAtOnce: 11...15
                case .syncsDoNothing, .cutsLoseNothing: 1...5
                }
            let isNoticed = try seeds.contains { seed in
                let (isLostOnTheRightDisk, isLostOnThisDisk) = try check.run(seed: Seed(seed))
                return isLostOnTheRightDisk != isLostOnThisDisk
            }
            XCTAssertTrue(isNoticed, check.sabotage.rawValue)
        }
    }
}
