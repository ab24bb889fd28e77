import Faults
import Randomness
import XCTest

@testable import SimulatedWorld

final class DiskTests: XCTestCase {
    private func makeDisk(_ options: DiskOptions = DiskOptions(), seed: Seed = 1) -> Disk {
        Disk(RandomStream(seed: seed), options: options)
    }

    private func write(_ disk: Disk, _ file: DiskFile, _ bytes: [UInt8], at offset: Int = 0) throws {
        try bytes.withUnsafeBytes { try disk.write(file, $0, at: offset) }
    }

    func testWhatIsWrittenIsSeenAtOnceAndSurvivesOnlyWhenItIsSynced() throws {
        for isSynced in [false, true] {
            let disk = makeDisk()
            let file = try disk.open("a", creates: true)
            try disk.sync(file)
            try write(disk, file, [1, 2, 3])
            XCTAssertEqual(disk.bytes(of: "a"), [1, 2, 3])
            if isSynced { try disk.sync(file) }
            disk.crash()
            XCTAssertEqual(disk.bytes(of: "a"), [1, 2, 3], "the end of a process loses nothing")
            disk.cutPower(.lostAll)
            XCTAssertEqual(disk.bytes(of: "a"), isSynced ? [1, 2, 3] : [])
        }
    }

    func testFilesComeAndGoWithTheirFolder() throws {
        let disk = makeDisk()
        let file = try disk.open("a", creates: true)
        try write(disk, file, [1])
        disk.cutPower(.lostAll)
        XCTAssertFalse(disk.contains("a"), "neither the file nor its folder was synced")
        let again = try disk.open("a", creates: true)
        try write(disk, again, [2])
        try disk.sync(again)
        try disk.delete("a", syncsFolder: false)
        XCTAssertFalse(disk.contains("a"))
        disk.cutPower(.lostAll)
        XCTAssertEqual(disk.bytes(of: "a"), [2], "the deletion was not durable")
        try disk.delete("a", syncsFolder: true)
        disk.cutPower(.lostAll)
        XCTAssertEqual(disk.names, [])
        XCTAssertThrowsError(try disk.delete("a", syncsFolder: false)) {
            XCTAssertEqual($0 as? DiskError, .notFound("a"))
        }
    }

    // Three sectors, each written twice: a cut keeps of each what was written up to some moment, in every combination.
    func testACutKeepsOfEachSectorWhatItHappensToKeep() throws {
        var options = DiskOptions()
        options.sectorBytes = 512
        options.tearsSectors = false
        var seen: Set<[UInt8]> = []
        for seed in 0..<400 {
            let disk = makeDisk(options, seed: Seed(UInt64(seed)))
            let file = try disk.open("a", creates: true)
            try write(disk, file, Array(repeating: 0, count: 1536))
            try disk.sync(file)
            for value: UInt8 in 1...2 { try write(disk, file, Array(repeating: value, count: 1536)) }
            disk.cutPower(.perSector)
            let bytes = try XCTUnwrap(disk.bytes(of: "a"))
            for sector in 0..<3 { XCTAssertEqual(Set(bytes[sector * 512..<sector * 512 + 512]).count, 1) }
            seen.insert([bytes[0], bytes[512], bytes[1024]])
        }
        XCTAssertEqual(seen.count, 27)
    }

    func testSectorsTearWhereTheyMay() throws {
        func torn(_ options: DiskOptions) throws -> (mixed: Int, foreign: Int) {
            var (mixed, foreign) = (0, 0)
            for seed in 0..<200 {
                let disk = makeDisk(options, seed: Seed(UInt64(seed)))
                let file = try disk.open("a", creates: true)
                try write(disk, file, Array(repeating: 7, count: 4096))
                try disk.sync(file)
                try write(disk, file, Array(repeating: 9, count: 1000), at: 1000)
                disk.cutPower(.perSector)
                let bytes = try XCTUnwrap(disk.bytes(of: "a"))
                if !Set([bytes[1000...1999].allSatisfy { $0 == 7 }, bytes[1000...1999].allSatisfy { $0 == 9 }])
                    .contains(true)
                {
                    mixed += 1
                }
                if bytes[..<1000].contains(where: { $0 != 7 }) { foreign += 1 }
            }
            return (mixed, foreign)
        }
        var options = DiskOptions()
        let powersafe = try torn(options)
        XCTAssertGreaterThan(powersafe.mixed, 5)
        XCTAssertEqual(powersafe.foreign, 0)
        options.isPowersafe = false
        XCTAssertGreaterThan(try torn(options).foreign, 5)
        options.tearsSectors = false
        let whole = try torn(options)
        XCTAssertEqual([whole.mixed, whole.foreign], [0, 0])
    }

    func testWhatASyncThatFailedShouldHaveSavedIsNeverSaved() throws {
        let disk = makeDisk()
        let file = try disk.open("a", creates: true)
        try disk.sync(file)
        try write(disk, file, [1, 2])
        disk.faults.syncFailures = .one
        XCTAssertThrowsError(try disk.sync(file)) { XCTAssertEqual($0 as? DiskError, .io(.sync)) }
        disk.faults.syncFailures = .zero
        try disk.sync(file)
        XCTAssertEqual(disk.bytes(of: "a"), [1, 2], "programs still see it")
        disk.cutPower(.keptAll)
        XCTAssertEqual(disk.bytes(of: "a"), [])
    }

    func testASyncThatLiesSavesNothing() throws {
        let disk = makeDisk()
        let file = try disk.open("a", creates: true)
        try disk.sync(file)
        disk.faults.syncLies = .one
        try write(disk, file, [1])
        try disk.sync(file)
        disk.cutPower(.lostAll)
        XCTAssertEqual(disk.bytes(of: "a"), [])
    }

    func testADiskIsFullFailsAndTakesItsTime() throws {
        let disk = makeDisk()
        let file = try disk.open("a", creates: true)
        disk.faults.capacity = 10
        try write(disk, file, Array(repeating: 1, count: 10))
        XCTAssertThrowsError(try write(disk, file, [1], at: 10)) { XCTAssertEqual($0 as? DiskError, .full) }
        try write(disk, file, [2], at: 9)
        disk.faults.writeFailures = .one
        XCTAssertThrowsError(try write(disk, file, [3])) { XCTAssertEqual($0 as? DiskError, .io(.write)) }
        disk.faults = DiskFaults()
        disk.faults.syncLatency = .fixed(.milliseconds(30))
        try disk.sync(file)
        try disk.sync(file)
        XCTAssertEqual(disk.takeOwedLatency(), .milliseconds(60))
        XCTAssertEqual(disk.takeOwedLatency(), .zero)
        try disk.sync(file)
        disk.crash()
        XCTAssertEqual(disk.takeOwedLatency(), .zero, "the dead wait for nothing")
    }

    func testBitsRotWhereTheyAreDrawn() throws {
        let disk = makeDisk()
        let file = try disk.open("a", creates: true)
        try write(disk, file, Array(repeating: 0, count: 100))
        let places = try disk.applyBitRot(to: "a", bits: 1)
        XCTAssertEqual(try XCTUnwrap(disk.bytes(of: "a"))[places[0] / 8], 1 << UInt8(places[0] % 8))
        XCTAssertThrowsError(try disk.applyBitRot(to: "b", bits: 1))
    }

    // What was cut off does not come back when the file grows again.
    func testWhatWasCutOffIsZeroWhenTheFileGrows() throws {
        let disk = makeDisk()
        let file = try disk.open("a", creates: true)
        try write(disk, file, Array(repeating: 7, count: 3 * 4096))
        try disk.sync(file)
        try disk.resize(file, 0)
        try write(disk, file, [9], at: 2 * 4096)
        disk.cutPower(.keptAll)
        XCTAssertEqual(Set(try XCTUnwrap(disk.bytes(of: "a"))[..<8192]), [0])
    }

    // Two sectors with two and one writes, and two sizes: (2 + 1) * (1 + 1) * 2.
    func testThePowerCutStatesAreAllThereAreAndNoMore() throws {
        let disk = makeDisk()
        let file = try disk.open("a", creates: true)
        try disk.sync(file)
        try write(disk, file, Array(repeating: 1, count: 4096))
        try write(disk, file, Array(repeating: 2, count: 4096))
        try write(disk, file, Array(repeating: 3, count: 100), at: 4096)
        let states = disk.powerCutStates
        XCTAssertEqual(states.count, 18)
        XCTAssertEqual(Array(states).count, 18)
        // Beyond the file's size a sector shows nothing: what differs is less.
        XCTAssertEqual(Set(states.map(\.files[0].bytes)).count, 1 + 3 + 3 * 2)
    }

    func testTheSameSeedLeavesTheSameBytes() throws {
        func image(_ seed: Seed) throws -> [UInt8]? {
            let disk = makeDisk(seed: seed)
            let file = try disk.open("a", creates: true)
            for number in 0..<50 {
                try write(disk, file, Array(repeating: UInt8(number), count: 700), at: number * 300)
            }
            disk.cutPower()
            return disk.bytes(of: "a")
        }
        XCTAssertEqual(try (1...20).map { try image(Seed($0)) }, try (1...20).map { try image(Seed($0)) })
    }
}
