import SimulationKernel
import XCTest

/// A part of the world made with the public functions alone, as somebody outside this package makes one.
///
/// The target has no access to what the package keeps to itself (see Package.swift), so that this file would not compile if a
/// function were missing.
final class PublicWorldTests: XCTestCase {
    private struct Delivery: Equatable {
        var text: String
        var milliseconds: Double
    }

    /// What a run with a sender and a receiver came to.
    private struct Exchange {
        var received: [Delivery]
        var lost: Int
        var dropped: Int
        var digest: TraceDigest
    }

    /// A sender puts a number into the queue every 10 ms, 100 times; a receiver notes what comes.
    private func exchange(
        seed: Seed = 1, loss: Ratio = .zero, _ script: @escaping (Simulation) -> Void = { _ in }
    ) throws -> Exchange {
        let simulation = Simulation(seed: seed)
        let queue = MessageQueue(
            simulation, latency: .uniform(min: .milliseconds(1), max: .milliseconds(5)), loss: loss)
        var received: [Delivery] = []
        try queue.addHost("receiver") { inbox in
            while let text = await inbox.next() {
                received.append(Delivery(text: text, milliseconds: Double(simulation.now.nanoseconds) / 1e6))
            }
        }
        try simulation.addHost("sender") {
            for number in 0..<100 {
                queue.send("\(number)", to: "receiver")
                try await simulation.clock.sleep(for: .milliseconds(10))
            }
        }
        script(simulation)
        let outcome = try simulation.run(for: .seconds(2))
        XCTAssertEqual(outcome.stopReason, .finished)
        XCTAssertEqual(outcome.abandonedTasks, 0, "the receiver still waits")
        return Exchange(received: received, lost: queue.lostCount, dropped: queue.droppedCount, digest: outcome.digest)
    }

    func testAQueueOfOnesOwnDeliversLateAndInSomeOrder() throws {
        let result = try exchange()
        XCTAssertEqual(result.received.map(\.text), (0..<100).map(String.init))
        for (number, delivery) in result.received.enumerated() {
            XCTAssertTrue((1...5).contains(delivery.milliseconds - Double(10 * number)), "\(delivery)")
        }
    }

    func testItsDrawsFollowFromTheSeedAndItsDecisionsAreInTheDigest() throws {
        let half = Ratio(1, outOf: 2)
        let first = try exchange(loss: half)
        let again = try exchange(loss: half)
        XCTAssertEqual(first.received, again.received)
        XCTAssertEqual(first.digest, again.digest)
        XCTAssertEqual(first.lost + first.received.count, 100)
        XCTAssertTrue((30...70).contains(first.lost), "\(first.lost)")
        XCTAssertNotEqual(try exchange(seed: 2, loss: half).digest, first.digest)
    }

    // What the old incarnation had not read is gone with it; what comes while the host is down is lost as well.
    func testACrashedHostLosesWhatWaitedForIt() throws {
        let result = try exchange { simulation in
            let receiver = simulation.host(named: "receiver")
            simulation.schedule(after: .milliseconds(200)) { _ in receiver?.pause() }
            simulation.schedule(after: .milliseconds(300)) { _ in receiver?.crash() }
            simulation.schedule(after: .milliseconds(400)) { _ in receiver?.start() }
        }
        XCTAssertEqual(result.dropped, 20, "10 waited at the paused host, and 10 came while it was down")
        XCTAssertEqual(result.received.map(\.text), (Array(0..<20) + Array(40..<100)).map(String.init))
    }

    // It waits for the host and is read in its order; nothing is lost.
    func testAPausedHostReadsLater() throws {
        let result = try exchange { simulation in
            let receiver = simulation.host(named: "receiver")
            simulation.schedule(after: .milliseconds(200)) { _ in receiver?.pause() }
            simulation.schedule(after: .milliseconds(300)) { _ in receiver?.resume() }
        }
        XCTAssertEqual(result.received.count, 100)
        XCTAssertEqual(result.received[20..<30].map(\.milliseconds), Array(repeating: 300, count: 10))
    }

    func testARunThatFailsTellsHowThingsStandInIt() throws {
        let simulation = Simulation(seed: 1)
        let queue = MessageQueue(simulation, latency: .fixed(.seconds(10)), loss: .zero)
        try queue.addHost("receiver") { inbox in while await inbox.next() != nil {} }
        let outcome = try simulation.run {
            queue.send("late", to: "receiver")
            try await simulation.clock.sleep(for: .seconds(1))
            simulation.stop("seen enough")
            try await simulation.clock.sleep(for: .seconds(1))
        }
        XCTAssertEqual(outcome.worldReport, ["queue: 1 message(s) on the way"])
    }
}

/// A message queue: what is sent to a host arrives late, or not at all, and waits there until the host's code takes it.
private final class MessageQueue {
    private let world: World
    private let latency: DurationDistribution
    private let loss: Ratio
    private var random: RandomStream
    private var inboxes: [String: Inbox] = [:]
    private var onTheWay: Int = 0
    private(set) var lostCount: Int = 0
    private(set) var droppedCount: Int = 0

    init(_ simulation: Simulation, latency: DurationDistribution, loss: Ratio) {
        world = simulation.world
        self.latency = latency
        self.loss = loss
        random = world.stream("message queue/all")
        world.onReport { [unowned self] in ["queue: \(onTheWay) message(s) on the way"] }
        world.onEnd { [unowned self] in inboxes = [:] }
    }

    func addHost(_ name: String, boot: @escaping (Inbox) async throws -> Void) throws {
        var host: Simulation.Host?
        host = try world.addHost(name) { [unowned self] in
            guard let host else { return }
            let inbox = Inbox(host)
            inboxes[name] = inbox
            host.onCrash { [unowned self] in
                droppedCount += inbox.close()
                inboxes[name] = nil
            }
            host.onUnwind { inbox.end() }
            try await boot(inbox)
        }
    }

    func send(_ text: String, to name: String) {
        if random.chance(loss) {
            lostCount += 1
            world.record(.queueLoss, text: text)
            return
        }
        let arrival = world.nanoseconds + random.nanoseconds(latency)
        world.record(.queueSend, arrival, text: "\(name) \(text)")
        onTheWay += 1
        world.schedule(at: arrival) { [unowned self] _ in
            onTheWay -= 1
            guard let inbox = inboxes[name] else {
                droppedCount += 1
                return
            }
            inbox.deliver(text)
        }
    }
}

/// What has arrived at one incarnation of a host and was not taken.
private final class Inbox {
    private let host: Simulation.Host
    private var arrived: [String] = []
    private var waiter: CheckedContinuation<String?, Never>?
    private var isEnded: Bool = false

    init(_ host: Simulation.Host) {
        self.host = host
    }

    func deliver(_ text: String) {
        arrived.append(text)
        // An event of the host: it waits while the host is paused, and is dropped with it.
        host.schedule(at: 0) { [self] _ in wake() }
    }

    func next() async -> String? {
        if isEnded { return nil }
        if !arrived.isEmpty { return arrived.removeFirst() }
        return await withCheckedContinuation { waiter = $0 }
    }

    private func wake() {
        guard let waiter, !arrived.isEmpty else { return }
        self.waiter = nil
        waiter.resume(returning: arrived.removeFirst())
    }

    /// The host crashed; how many messages nobody took.
    func close() -> Int {
        defer { arrived = [] }
        return arrived.count
    }

    /// The incarnation is made to end.
    func end() {
        isEnded = true
        waiter?.resume(returning: nil)
        waiter = nil
    }
}

extension TraceKind {
    fileprivate static let queueSend: TraceKind = TraceKind("queue.send")
    fileprivate static let queueLoss: TraceKind = TraceKind("queue.loss")
}
