import Faults
import Foundation
import Measurements
import Pipeline
import Ports
import Randomness
import SQLite
import SimulatedSQLite
import SimulatedWorld
import Torture
import XCTest

final class StorageTests: LimitedTestCase {
    // MARK: Both disks

    func testWhatIsAcknowledgedIsThereWhenTheFileIsOpenedAgain() async throws {
        try await DiskArm.both { arm, location in
            do {
                let storage = try await SQLiteReadingStore(location)
                let receipt = try await storage.write(
                    StorageBatch(name: "a", readings: [reading(2, 20), reading(1, 10), reading(1, 10, flat: "SD1")]))
                XCTAssertEqual([receipt.stored, receipt.known], [3, 0], "\(arm)")
            }
            let storage = try await SQLiteReadingStore(location)
            let found = try await storage.readings(of: "SD0", from: 0, to: .max, limit: 100)
            XCTAssertEqual(found, [reading(1, 10), reading(2, 20)], "\(arm)")
            let first = try await storage.readings(of: "SD0", from: 0, to: .max, limit: 1)
            XCTAssertEqual(first, [reading(1, 10)], "\(arm)")
            let part = try await storage.readings(
                of: "SD0", from: 1_700_000_000_002, to: 1_700_000_000_003, limit: 100)
            XCTAssertEqual(part, [reading(2, 20)], "\(arm)")
            let latest = try await storage.latest()
            XCTAssertEqual(latest, [reading(2, 20), reading(1, 10, flat: "SD1")], "\(arm)")
        }
    }

    func testABatchThatIsSentAgainIsStoredOnceAndAnswersTheSame() async throws {
        try await DiskArm.both { arm, location in
            let storage = try await SQLiteReadingStore(location)
            let batch = try StorageBatch(name: "a", readings: [reading(1), reading(2)])
            for _ in 0..<3 {
                let receipt = try await storage.write(batch)
                XCTAssertEqual([receipt.stored, receipt.known], [2, 0], "\(arm)")
            }
            let overlapping = try await storage.write(StorageBatch(name: "b", readings: [reading(2, 99), reading(3)]))
            XCTAssertEqual([overlapping.stored, overlapping.known], [1, 1], "\(arm)")
            let all = try await storage.readings(of: "SD0", from: 0, to: .max, limit: 100)
            XCTAssertEqual(all, [reading(1), reading(2), reading(3)], "the first value stays")
            do {
                _ = try await storage.write(StorageBatch(name: "a", readings: [reading(7)]))
                XCTFail("another batch took the name")
            } catch {
                XCTAssertEqual(error as? PersistenceError, .refused("another batch has the name 'a'"))
            }
        }
    }

    func testFilesThatAreNotItsOwnAreLeftAsTheyAre() async throws {
        let cases: [(String, (PersistenceError) -> Bool)] = [
            ("CREATE TABLE other (x)", { if case .foreign = $0 { true } else { false } }),
            (
                "PRAGMA application_id = \(0x574B_7374); PRAGMA user_version = 99; CREATE TABLE other (x)",
                { if case .foreign(let reason) = $0 { reason.contains("version 99") } else { false } }
            ),
        ]
        for (sql, isExpected) in cases {
            try await DiskArm.both { arm, location in
                do {
                    let other = try SQLiteDatabase(location)
                    try other.execute(sql)
                }
                do {
                    _ = try await SQLiteReadingStore(location)
                    XCTFail("\(arm): it was taken")
                } catch let error as PersistenceError {
                    XCTAssertTrue(isExpected(error), "\(arm): \(error)")
                }
                let other = try SQLiteDatabase(location)
                XCTAssertEqual(try other.rows("SELECT name FROM sqlite_schema"), [[.text("other")]])
                XCTAssertEqual(try other.pragma("journal_mode"), "delete", "nothing is changed")
            }
        }
    }

    func testAFileThatIsNoDatabaseIsDamageAndStaysAsItIs() async throws {
        let folder = FileManager.default.temporaryDirectory
        let file = folder.appending(path: "windkanal-\(UUID().uuidString)")
        try Data(repeating: 7, count: 10_000).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        do {
            _ = try await SQLiteReadingStore(DiskLocation(path: file.path))
            XCTFail("it was taken")
        } catch let error as PersistenceError {
            guard case .damaged = error else { return XCTFail("\(error)") }
        }
        XCTAssertEqual(try Data(contentsOf: file), Data(repeating: 7, count: 10_000))
        do {
            _ = try await SQLiteReadingStore(DiskLocation(path: "/nowhere/at/all.db"))
            XCTFail("it was made")
        } catch let error as PersistenceError {
            guard case .unavailable = error else { return XCTFail("\(error)") }
        }
    }

    // The file is one process's: what it keeps in memory would not be true.
    func testASecondProcessOnTheSameFileIsRefused() async throws {
        try await DiskArm.both { arm, location in
            let storage = try await SQLiteReadingStore(location)
            do {
                _ = try await SQLiteReadingStore(location)
                XCTFail("\(arm): it was opened twice")
            } catch let error as PersistenceError {
                guard case .unavailable = error else { return XCTFail("\(arm): \(error)") }
            }
            let receipt = try await storage.write(StorageBatch(name: "a", readings: [reading(1)]))
            XCTAssertEqual(receipt.stored, 1, "\(arm)")
        }
    }

    // SQLite keeps no negative zero; a reading has none.
    func testANegativeZeroIsAReadingLikeOthers() async throws {
        try await DiskArm.both { arm, location in
            let storage = try await SQLiteReadingStore(location)
            _ = try await storage.write(StorageBatch(name: "a", readings: [reading(1, -0.0), reading(2, -0.5)]))
            let found = try await storage.readings(of: "SD0", from: 0, to: .max, limit: 10)
            XCTAssertEqual(found.map(\.value), [0, -0.5], "\(arm)")
        }
    }

    func testBatchesBeyondTheLimitsAreRefused() {
        for (name, readings, part) in [
            ("", [], "1 to 128 bytes"), (String(repeating: "x", count: 129), [], "1 to 128 bytes"),
            ("a", Array(repeating: reading(1), count: 10_001), "at most 10000"),
            ("a", [reading(1, .nan)], "is not finite"),
        ] {
            XCTAssertThrowsError(try StorageBatch(name: name, readings: readings)) {
                XCTAssertTrue("\($0)".contains(part), "\($0)")
            }
        }
    }

    // MARK: Faults

    private func simulated() -> (disk: Disk, location: DiskLocation) {
        let disk = Disk(RandomStream(seed: 1))
        return (disk, SQLiteVFS(disk, wall: { 0 }).location("storage.db", sleep: { _ in }))
    }

    func testAFullDiskRefusesABatchAndTakesTheNextWhenThereIsRoom() async throws {
        let (disk, location) = simulated()
        let storage = try await SQLiteReadingStore(location)
        let many = (0..<2000).map { reading(Int64($0)) }
        disk.faults.capacity = disk.usedBytes + 8192
        do {
            _ = try await storage.write(StorageBatch(name: "a", readings: many))
            XCTFail("it was stored")
        } catch {
            XCTAssertEqual(error, .full)
        }
        disk.faults.capacity = nil
        let receipt = try await storage.write(StorageBatch(name: "a", readings: many))
        XCTAssertEqual(receipt.stored, 2000)
    }

    func testADiskThatIsFullAtTheStartIsSaidSo() async throws {
        let (disk, location) = simulated()
        disk.faults.capacity = 5000
        do {
            _ = try await SQLiteReadingStore(location)
            XCTFail("it was opened")
        } catch {
            XCTAssertEqual(error as? PersistenceError, .full)
        }
    }

    func testAFailedSyncLeavesTheOutcomeOpenAndStopsTheStorage() async throws {
        let (disk, location) = simulated()
        let storage = try await SQLiteReadingStore(location)
        disk.faults.syncFailures = .one
        do {
            _ = try await storage.write(StorageBatch(name: "a", readings: [reading(1)]))
            XCTFail("it was acknowledged")
        } catch {
            XCTAssertTrue(error.isUnknown, "\(error)")
        }
        disk.faults.syncFailures = .zero
        do {
            _ = try await storage.write(StorageBatch(name: "b", readings: [reading(2)]))
            XCTFail("it went on")
        } catch {
            guard case .stopped = error else { return XCTFail("\(error)") }
        }
        let reason = try await storage.untilStopped()
        XCTAssertTrue(reason.isUnknown)
    }

    func testAFlippedBitOfAValueIsToldAndNotDelivered() async throws {
        let (disk, location) = simulated()
        do {
            let storage = try await SQLiteReadingStore(location)
            _ = try await storage.write(StorageBatch(name: "a", readings: [reading(1, 21.79)]))
        }
        _ = try await SQLiteReadingStore(location)
        let pattern = withUnsafeBytes(of: (21.79).bitPattern.bigEndian) { Array($0) }
        let bytes = try XCTUnwrap(disk.bytes(of: "storage.db"))
        let place = try XCTUnwrap(bytes.indices.first { bytes[$0...].starts(with: pattern) })
        let copy = disk.snapshot()
        try copy.flip(bit: 3, ofByte: place + 5, of: "storage.db")
        let vfs = SQLiteVFS(copy, wall: { 0 })
        do {
            _ = try await SQLiteReadingStore(vfs.location("storage.db", sleep: { _ in }))
            XCTFail("it was opened")
        } catch let error as PersistenceError {
            guard case .damaged(let reason) = error else { return XCTFail("\(error)") }
            XCTAssertTrue(reason.contains("SD0/1/temperature"), reason)
        }
    }

    func testABitThatFlipsWhileTheFileIsOpenIsNotDeliveredEither() async throws {
        let (disk, location) = simulated()
        let storage = try await SQLiteReadingStore(location)
        let many = (0..<3000).map { reading(Int64($0), 21.79) }
        _ = try await storage.write(StorageBatch(name: "a", readings: many))
        let pattern = withUnsafeBytes(of: (21.79).bitPattern.bigEndian) { Array($0) }
        // Wherever the value stands, in the file and in its WAL.
        for name in disk.names {
            let bytes = try XCTUnwrap(disk.bytes(of: name))
            var index = bytes.startIndex
            while let place = bytes[index...].firstRange(of: pattern)?.lowerBound {
                try disk.flip(bit: 3, ofByte: place + 5, of: name)
                index = place + pattern.count
            }
        }
        do {
            // Pages that are in memory are right; the others are read from the disk.
            let found = try await storage.readings(of: "SD0", from: 0, to: .max, limit: 10_000)
            XCTAssertTrue(found.allSatisfy { $0.value == 21.79 }, "a wrong value was delivered")
        } catch {
            guard case .damaged = error else { return XCTFail("\(error)") }
        }
    }

    func testBatchesBeyondTheQueueAreRefusedAndNoneIsLost() async throws {
        let (_, location) = simulated()
        let slow = DiskLocation(path: location.path, vfs: location.vfs, disk: Keeper(location: location)) {
            try await Task.sleep(for: .milliseconds(2))
        }
        let storage = try await SQLiteReadingStore(slow)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    do {
                        _ = try await storage.write(
                            StorageBatch(name: "\(number)", readings: [reading(Int64(number))]))
                        return true
                    } catch {
                        XCTAssertEqual(error as? PersistenceError, .overloaded)
                        return false
                    }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        let stored = try await storage.readings(of: "SD0", from: 0, to: .max, limit: 1000)
        XCTAssertEqual(stored.count, outcomes.count { $0 })
        XCTAssertTrue((SQLiteReadingStore.waitingMax...99).contains(stored.count), "\(stored.count)")
    }

    private struct Keeper: Sendable {
        let location: DiskLocation
    }

    // The trials of the command `lab crashes`, for a few seeds.
    func testTheStorageLosesNothingAndWithoutARuleItIsFoundOut() {
        for variant in StorageTrial.Variant.all {
            let violations = (UInt64(1)...60).compactMap { seed -> StorageTrial.Violation? in
                var trial = StorageTrial(variant, seed: Seed(seed))
                return trial.run()
            }
            if variant.isSafe { XCTAssertEqual(violations, [], variant.name) }
            if variant.isFoundSoon { XCTAssertNotEqual(violations, [], variant.name) }
        }
    }
}
