import Faults
import Measurements
import Pipeline
import Ports
import Randomness
import SimulatedSQLite
import SimulatedWorld
import XCTest

final class BrokerTests: LimitedTestCase {
    private let partition = TopicPartition("measurements", 0)
    private let topics = [BrokerTopic("measurements", partitions: 2)]

    private func messages(_ range: Range<Int>) -> [BrokerMessage] {
        range.map { BrokerMessage(key: "SD0", value: "\($0)") }
    }

    // MARK: Both disks

    func testRecordsKeepTheirPlacesAndGroupsGoOnWhereTheyCommitted() async throws {
        try await DiskArm.both { arm, location in
            do {
                let broker = try await Broker(location, topics: topics)
                let first = try await broker.produce(messages(0..<3), to: partition, from: nil, acks: .all)
                let second = try await broker.produce(messages(3..<5), to: partition, from: nil, acks: .leader)
                XCTAssertEqual([first, second], [0, 3], "\(arm)")
                let assignment = try await broker.join("group", member: "a", topic: "measurements")
                let position = try XCTUnwrap(assignment.positions[0])
                XCTAssertEqual([position.committed, position.earliest, position.latest], [nil, 0, 5], "\(arm)")
                try await broker.commit("group", member: "a", generation: assignment.generation, partition, 2)
            }
            let broker = try await Broker(location, topics: topics)
            let assignment = try await broker.join("group", member: "a", topic: "measurements")
            XCTAssertEqual(assignment.positions[0]?.committed, 2, "\(arm)")
            let fetched = try await broker.fetch(partition, from: 2, max: 2)
            XCTAssertEqual(fetched.records.map(\.message.value), ["2", "3"], "\(arm)")
            XCTAssertEqual(fetched.records.map(\.offset), [2, 3], "\(arm)")
            XCTAssertEqual(fetched.latest, 5, "\(arm)")
        }
    }

    func testWhatAProducerSendsAgainIsAppendedOnce() async throws {
        try await DiskArm.both { arm, location in
            let broker = try await Broker(location, topics: topics)
            func send(_ range: Range<Int>, _ sequence: Int64) async throws -> Int64? {
                try await broker.produce(
                    messages(range), to: partition, from: BrokerProducer(id: "p", sequence: sequence), acks: .all)
            }
            let first = try await send(0..<2, 0)
            let again = try await send(0..<2, 0)
            let next = try await send(2..<3, 2)
            XCTAssertEqual([first, again, next], [0, nil, 2], "\(arm)")
            do {
                _ = try await send(5..<6, 5)
                XCTFail("\(arm): a gap was taken")
            } catch {
                XCTAssertEqual(error as? BrokerError, .outOfOrder(expected: 3), "\(arm)")
            }
            // What is behind that which is known is new.
            let longer = try await send(1..<5, 1)
            XCTAssertEqual(longer, 3, "\(arm)")
            let fetched = try await broker.fetch(partition, from: 0, max: 10)
            XCTAssertEqual(fetched.records.map(\.message.value), ["0", "1", "2", "3", "4"], "\(arm)")
            do {
                _ = try await send(0..<1, .max)
                XCTFail("\(arm): it was taken")
            } catch {
                XCTAssertEqual(error as? BrokerError, .refused("a sequence is 0 to 2^53"), "\(arm)")
            }
        }
    }

    func testPlacesThatAreNotThereAndTopicsThatAreUnknownAreNamed() async throws {
        try await DiskArm.both { arm, location in
            let broker = try await Broker(location, topics: topics)
            _ = try await broker.produce(messages(0..<2), to: partition, from: nil, acks: .all)
            for (partition, offset, expected) in [
                (partition, 7, BrokerError.offsetOutOfRange(earliest: 0, latest: 2)),
                (TopicPartition("measurements", 2), 0, .unknownTopic("measurements-2")),
                (TopicPartition("nothing", 0), 0, .unknownTopic("nothing-0")),
            ] {
                do {
                    _ = try await broker.fetch(partition, from: Int64(offset), max: 1)
                    XCTFail("\(arm): \(partition) \(offset)")
                } catch {
                    XCTAssertEqual(error as? BrokerError, expected, "\(arm)")
                }
            }
            do {
                _ = try await broker.produce(
                    [BrokerMessage(key: "", value: String(repeating: "x", count: 70_000))], to: partition, from: nil,
                    acks: .all)
                XCTFail("\(arm): it was taken")
            } catch {
                XCTAssertEqual(error as? BrokerError, .refused("a message has at most 65536 bytes"))
            }
        }
    }

    // MARK: Groups

    func testMembersShareThePartitionsAndWhoWasLeftBehindIsFenced() async throws {
        let (disk, location) = simulated()
        let broker = try await Broker(location, topics: topics)
        let alone = try await broker.join("group", member: "a", topic: "measurements")
        XCTAssertEqual(alone.positions.keys.sorted(), [0, 1])
        let second = try await broker.join("group", member: "b", topic: "measurements")
        XCTAssertEqual(second.positions.keys.sorted(), [1])
        do {
            try await broker.commit("group", member: "a", generation: alone.generation, partition, 0)
            XCTFail("an old generation committed")
        } catch {
            XCTAssertEqual(error, .fenced)
        }
        let again = try await broker.join("group", member: "a", topic: "measurements")
        XCTAssertEqual(again.positions.keys.sorted(), [0])
        XCTAssertEqual(again.generation, second.generation)
        try await broker.heartbeat("group", member: "a", generation: again.generation)
        do {
            try await broker.commit(
                "group", member: "a", generation: again.generation, TopicPartition("measurements", 1), 0)
            XCTFail("it committed what another member has")
        } catch {
            guard case .refused = error else { return XCTFail("\(error)") }
        }
        do {
            try await broker.commit("group", member: "a", generation: again.generation, partition, 7)
            XCTFail("it committed what is not there")
        } catch {
            XCTAssertEqual(error, .offsetOutOfRange(earliest: 0, latest: 0))
        }
        do {
            _ = try await broker.join("other", member: "a", topic: "nothing")
            XCTFail("there is no such topic")
        } catch {
            XCTAssertEqual(error, .unknownTopic("nothing"))
        }
        // The broker's restart forgets its members.
        disk.crash()
        let restarted = try await Broker(location, topics: topics)
        do {
            try await restarted.heartbeat("group", member: "a", generation: again.generation)
            XCTFail("it was known")
        } catch {
            XCTAssertEqual(error, .fenced)
        }
    }

    // MARK: Loss on purpose

    private func simulated() -> (disk: Disk, location: DiskLocation) {
        let disk = Disk(RandomStream(seed: 1))
        return (disk, SQLiteVFS(disk, wall: { 0 }).location("broker.db", sleep: { _ in }))
    }

    // What the leader alone has is lost with its power, what all have is not; a process that dies loses neither.
    func testAPowerCutTakesWhatOnlyTheLeaderHad() async throws {
        for (acks, survives) in [(BrokerAcks.leader, false), (.all, true)] {
            for cutsPower in [false, true] {
                let (disk, location) = simulated()
                do {
                    let broker = try await Broker(location, topics: topics)
                    _ = try await broker.produce(messages(0..<1), to: partition, from: nil, acks: .all)
                    _ = try await broker.produce(messages(1..<3), to: partition, from: nil, acks: acks)
                    if cutsPower { disk.cutPower(.lostAll) } else { disk.crash() }
                }
                let broker = try await Broker(location, topics: topics)
                let fetched = try await broker.fetch(partition, from: 0, max: 10)
                XCTAssertEqual(fetched.records.count, !cutsPower || survives ? 3 : 1, "\(acks) power: \(cutsPower)")
            }
        }
    }

    // What the leader had is sent again to all: it was there, and is synced only now.
    func testARepetitionForAllIsSyncedWhateverItWasBefore() async throws {
        for repeats in [false, true] {
            let (disk, location) = simulated()
            do {
                let broker = try await Broker(location, topics: topics)
                let producer = BrokerProducer(id: "p", sequence: 0)
                _ = try await broker.produce(messages(0..<1), to: partition, from: nil, acks: .all)
                _ = try await broker.produce(messages(1..<3), to: partition, from: producer, acks: .leader)
                if repeats { _ = try await broker.produce(messages(1..<3), to: partition, from: producer, acks: .all) }
                disk.cutPower(.lostAll)
            }
            let fetched = try await Broker(location, topics: topics).fetch(partition, from: 0, max: 10)
            XCTAssertEqual(fetched.records.count, repeats ? 3 : 1)
        }
    }

    func testABrokerWhoseDiskFailsStops() async throws {
        let (disk, location) = simulated()
        let broker = try await Broker(location, topics: topics)
        disk.faults.syncFailures = .one
        do {
            _ = try await broker.produce(messages(0..<1), to: partition, from: nil, acks: .all)
            XCTFail("it was acknowledged")
        } catch {
            guard case .persistence(.unknownOutcome) = error else { return XCTFail("\(error)") }
        }
        let isUp = await broker.isUp
        XCTAssertFalse(isUp)
    }

    // MARK: Outbox

    func testAnOutboxKeepsWhatItTookAndSendsItOnceTheBrokerIsThere() async throws {
        try await DiskArm.both { arm, location in
            let client = FakeBroker()
            client.isAway = true
            let topic = BrokerTopic("measurements", partitions: 2)
            var options = Outbox.Options(topic: topic)
            options.retry = .milliseconds(1)
            options.readingsMax = 5
            do {
                let outbox = try await Outbox(location, name: "poller", broker: client, options: options)
                try await outbox.publish([reading(1), reading(2), reading(1, flat: "SD1")])
                do {
                    try await outbox.publish([reading(3), reading(4), reading(5)])
                    XCTFail("\(arm): it took more than it may")
                } catch {
                    XCTAssertEqual(error as? PersistenceError, .full)
                }
            }
            let outbox = try await Outbox(location, name: "another", broker: client, options: options)
            let waiting = await outbox.waiting
            XCTAssertEqual(waiting, 3, "\(arm)")
            client.isAway = false
            client.losesReplies = 2
            let task = Task { try await outbox.run() }
            while await outbox.waiting > 0 { try await Task.sleep(for: .milliseconds(2)) }
            task.cancel()
            _ = try? await task.value
            XCTAssertEqual(client.count, 3, "\(arm): replies that were lost brought nothing twice")
            XCTAssertEqual(client.producers.count, 1, "\(arm): the name is the file's")
            XCTAssertTrue(client.producers[0].hasPrefix("poller/"), client.producers[0])
        }
    }

    // A broker that comes back empty does not take later numbers: all that is kept is sent anew.
    func testAnOutboxThatKeepsWhatItSentFillsABrokerThatLostIt() async throws {
        let disk = Disk(RandomStream(seed: 1))
        let location = SQLiteVFS(disk, wall: { 0 }).location("outbox.db", sleep: { _ in })
        let client = FakeBroker()
        var options = Outbox.Options(topic: BrokerTopic("measurements"))
        options.retainsAfterAck = .seconds(3600)
        options.retry = .milliseconds(1)
        let outbox = try await Outbox(location, name: "poller", broker: client, options: options)
        let task = Task { try await outbox.run() }
        try await outbox.publish([reading(1), reading(2)])
        while await outbox.waiting > 0 { try await Task.sleep(for: .milliseconds(2)) }
        client.forget()
        try await outbox.publish([reading(3)])
        while client.count < 3 { try await Task.sleep(for: .milliseconds(2)) }
        task.cancel()
        _ = try? await task.value
        XCTAssertEqual(client.producers.count, 2)
        XCTAssertTrue(client.producers[0].hasSuffix("/0") && client.producers[1].hasSuffix("/1"))
    }

    // A poller without its disk begins its numbers anew: as another sender, or the broker would take them for known.
    func testAnOutboxOnANewDiskIsAnotherSender() async throws {
        let client = FakeBroker()
        for number in 0..<2 {
            let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("outbox.db", sleep: { _ in })
            let outbox = try await Outbox(
                location, name: "poller", broker: client, options: Outbox.Options(topic: topics[0]))
            let task = Task { try await outbox.run() }
            try await outbox.publish([reading(Int64(number))])
            while await outbox.waiting > 0 { try await Task.sleep(for: .milliseconds(2)) }
            task.cancel()
            _ = try? await task.value
        }
        XCTAssertEqual(client.count, 2)
        XCTAssertEqual(client.producers.count, 2)
    }

    // A renumbering that does not fit on the disk changes nothing, in memory neither: a number that is given twice would be taken for known.
    func testARenumberingThatFailsGivesNoNumberTwice() async throws {
        let disk = Disk(RandomStream(seed: 1))
        let location = SQLiteVFS(disk, wall: { 0 }).location("outbox.db", sleep: { _ in })
        let client = FakeBroker()
        var options = Outbox.Options(topic: BrokerTopic("measurements"))
        options.retainsAfterAck = .seconds(3600)
        options.retry = .milliseconds(1)
        let outbox = try await Outbox(location, name: "poller", broker: client, options: options)
        try await outbox.publish((0..<2000).map { reading(Int64($0)) })
        let task = Task { try await outbox.run() }
        while await outbox.waiting > 0 { try await Task.sleep(for: .milliseconds(2)) }
        client.isAway = true
        try await outbox.publish([reading(5000)])
        disk.faults.capacity = disk.usedBytes + 100_000
        client.forget()
        client.isAway = false
        // It is refused, and cannot renumber two thousand messages for want of room; new ones fit.
        try await Task.sleep(for: .milliseconds(50))
        XCTAssertEqual(client.count, 0)
        try await outbox.publish([reading(5001)])
        disk.faults.capacity = nil
        while client.count < 2002 { try await Task.sleep(for: .milliseconds(2)) }
        task.cancel()
        _ = try? await task.value
        XCTAssertEqual(Set(client.values).count, 2002, "each is there, and once")
    }

    func testAVolatileProducerDropsWhatIsTooMuchAndWhatWaitsForTooLong() async throws {
        let client = FakeBroker()
        client.isAway = true
        var options = VolatileProducer.Options(topic: BrokerTopic("measurements"))
        options.readingsMax = 2
        options.deliveryTimeout = .milliseconds(20)
        options.retry = .milliseconds(5)
        let producer = VolatileProducer(broker: client, options: options)
        try await producer.publish([reading(1), reading(2), reading(3)])
        let task = Task { await producer.run() }
        while await producer.expired < 2 { try await Task.sleep(for: .milliseconds(2)) }
        task.cancel()
        await task.value
        let overflowed = await producer.overflowed
        XCTAssertEqual(overflowed, 1)
        XCTAssertEqual(client.count, 0)
    }
}

/// A broker in memory that can be away, forget everything, and lose its replies.
private final class FakeBroker: BrokerClient, @unchecked Sendable {
    private let lock = NSLock()
    private var last: [String: Int64] = [:]
    private var appended: [String] = []
    private var seen: [String] = []
    private var away: Bool = false
    private var lost: Int = 0

    var isAway: Bool {
        get { lock.withLock { away } }
        set { lock.withLock { away = newValue } }
    }
    var losesReplies: Int {
        get { lock.withLock { lost } }
        set { lock.withLock { lost = newValue } }
    }
    var count: Int { lock.withLock { appended.count } }
    var values: [String] { lock.withLock { appended } }
    var producers: [String] { lock.withLock { Set(seen).sorted() } }

    func forget() { lock.withLock { (last, appended) = ([:], []) } }

    func produce(
        _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
    ) async throws(BrokerError) -> Bool {
        let result: Result<Bool, BrokerError> = lock.withLock {
            if away { return .failure(.unreachable("away")) }
            if let producer {
                let key = "\(producer.id) \(partition)"
                let last = last[key] ?? -1
                if producer.sequence + Int64(messages.count) - 1 <= last { return .success(false) }
                guard producer.sequence == last + 1 else { return .failure(.outOfOrder(expected: last + 1)) }
                self.last[key] = last + Int64(messages.count)
                seen.append(producer.id)
            }
            appended += messages.map(\.value)
            guard lost == 0 else {
                lost -= 1
                return .failure(.unreachable("the reply was lost"))
            }
            return .success(true)
        }
        return try result.get()
    }

    func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
        throw .unreachable("it does not fetch")
    }

    func join(_ group: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment {
        throw .fenced
    }

    func heartbeat(_ group: String, member: String, generation: Int) async throws(BrokerError) { throw .fenced }

    func commit(
        _ group: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
    ) async throws(BrokerError) { throw .fenced }
}
