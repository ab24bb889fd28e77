import Faults
import Ports
import Randomness
import SQLite
import SimulatedSQLite
import SimulatedWorld
import SimulationKernel
import Torture
import XCTest

final class SQLiteVFSTests: XCTestCase {
    private struct Machine {
        let disk: Disk
        let vfs: SQLiteVFS

        init(seed: Seed = 1) {
            disk = Disk(RandomStream(seed: seed))
            vfs = SQLiteVFS(disk, wall: { 1_767_225_600_000 })
        }

        func open(_ name: String = "data.db") throws -> SQLiteDatabase {
            let database = try SQLiteDatabase(vfs.location(name, sleep: { _ in }))
            XCTAssertEqual(try database.pragma("journal_mode", "WAL"), "wal")
            XCTAssertEqual(try database.pragma("synchronous", "FULL"), "2")
            return database
        }
    }

    func testConnectionsShareAWALAndStandInEachOthersWay() throws {
        let machine = Machine()
        let (first, second) = (try machine.open(), try machine.open())
        try first.execute("CREATE TABLE t (x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        XCTAssertEqual(try second.rows("SELECT count(*) FROM t"), [[.integer(0)]])
        XCTAssertThrowsError(try second.execute("BEGIN IMMEDIATE")) {
            XCTAssertTrue(($0 as? SQLiteError)?.isBusy ?? false)
        }
        try first.execute("COMMIT")
        XCTAssertEqual(try second.rows("SELECT x FROM t"), [[.integer(1)]])
        XCTAssertEqual(machine.disk.names, ["data.db", "data.db-wal"])
    }

    // Two runs that write other rows, or the same more often, or read more, are told apart.
    func testWhatIsWrittenAndReadIsInTheDigest() throws {
        func digest(_ statements: [String]) throws -> TraceDigest {
            let machine = Machine()
            let outcome = try Simulation(seed: 1).run {
                let database = try machine.open()
                try database.execute("CREATE TABLE t (x)")
                for statement in statements { try database.execute(statement) }
            }
            try outcome.get()
            return outcome.digest
        }
        let variants = [
            ["INSERT INTO t VALUES ('a')"], ["INSERT INTO t VALUES ('b')"],
            ["INSERT INTO t VALUES ('a')", "UPDATE t SET x = 'b'"], [],
        ]
        let digests = try variants.map(digest)
        XCTAssertEqual(digests, try variants.map(digest))
        XCTAssertEqual(Set(digests).count, 4, "\(digests)")
    }

    func testTimeAndRandomnessComeFromTheSimulation() throws {
        func draw(_ seed: Seed) throws -> [SQLiteValue] {
            let machine = Machine(seed: seed)
            let database = try machine.open()
            return try database.rows("SELECT random(), hex(randomblob(4)), datetime('now')")[0]
        }
        XCTAssertEqual(try draw(1), try draw(1))
        XCTAssertNotEqual(try draw(1)[0], try draw(2)[0])
        XCTAssertEqual(try draw(1)[2], .text("2026-01-01 00:00:00"))
    }

    // A process that dies closes nothing: its connections do no harm when they are freed later.
    func testADeadProcessTouchesNothingAnyMore() throws {
        let machine = Machine()
        let dead = try machine.open()
        try dead.execute("CREATE TABLE t (x); INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2)")
        machine.disk.crash()
        let heir = try machine.open()
        XCTAssertEqual(try heir.rows("SELECT x FROM t"), [[.integer(1)]])
        XCTAssertThrowsError(try dead.execute("COMMIT")) { XCTAssertTrue(($0 as? SQLiteError)?.isDisk ?? false) }
        try heir.execute("INSERT INTO t VALUES (3)")
        dead.close()
        XCTAssertEqual(try heir.rows("SELECT x FROM t"), [[.integer(1)], [.integer(3)]])
        XCTAssertEqual(try heir.pragma("integrity_check"), "ok")
    }

    func testFaultsOfTheDiskHaveTheirNames() throws {
        let machine = Machine()
        let database = try machine.open()
        try database.execute("CREATE TABLE t (x)")
        machine.disk.faults.capacity = machine.disk.usedBytes
        XCTAssertThrowsError(try database.execute("INSERT INTO t VALUES (zeroblob(10000))")) {
            XCTAssertTrue(($0 as? SQLiteError)?.isFull ?? false, "\($0)")
        }
        machine.disk.faults = DiskFaults()
        machine.disk.faults.syncFailures = .one
        XCTAssertThrowsError(try database.execute("INSERT INTO t VALUES (1)")) {
            XCTAssertTrue(($0 as? SQLiteError)?.isDisk ?? false, "\($0)")
        }
    }

    // Not drawn but counted through: every state in which a cut during a commit may leave the disk is recovered from.
    func testEveryStateOfACutInACommitIsRecoveredFrom() throws {
        let machine = Machine()
        let database = try machine.open()
        try database.execute("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        machine.disk.faults.syncLies = .one
        try database.execute("BEGIN; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3); COMMIT")
        let states = machine.disk.powerCutStates
        XCTAssertTrue((4...100_000).contains(states.count), "\(states.count)")
        var outcomes: [Int: Int] = [:]
        for state in states.prefix(2000) {
            let copy = machine.disk.copy(state, RandomStream(seed: 9))
            let vfs = SQLiteVFS(copy, wall: { 0 })
            let recovered = try SQLiteDatabase(vfs.location("data.db", sleep: { _ in }))
            XCTAssertEqual(try recovered.pragma("integrity_check"), "ok")
            outcomes[try recovered.rows("SELECT x FROM t").count, default: 0] += 1
        }
        XCTAssertEqual(Set(outcomes.keys), [1, 3], "\(outcomes)")
    }

    // The matrix of the command `lab crashes`, for a few seeds.
    func testWaysThatAreSafeLoseNothingAndTheOthersAreFoundOut() {
        for mode in CrashTrial.Mode.all {
            let damages = (UInt64(1)...60).compactMap { seed -> CrashTrial.Damage? in
                var trial = CrashTrial(mode, seed: Seed(seed))
                return trial.run()
            }
            XCTAssertEqual(damages.isEmpty, mode.isSafe, "\(mode.name): \(damages)")
        }
    }
}
