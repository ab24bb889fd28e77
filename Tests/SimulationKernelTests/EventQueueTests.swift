import Randomness
import XCTest

@testable import SimulationKernel

final class EventQueueTests: XCTestCase {
    private func makeReady() -> ReadyQueue { ReadyQueue(policy: .firstInFirstOut, random: RandomStream(seed: 1)) }

    private func take(_ item: ReadyItem, from queue: inout EventQueue) -> EventQueue.Event? {
        guard case .event(let handle) = item.work else { return nil }
        return queue.take(handle)
    }

    // The reference is a sorted array of (instant, order of scheduling): whatever is scheduled and cancelled in between,
    // the queue must give the same events in the same order.
    func testEventsComeInTheOrderOfInstantAndSequence() {
        for seed in 0..<40 as Range<UInt64> {
            var random = RandomStream(seed: Seed(seed))
            var queue = EventQueue()
            var ready = makeReady()
            var expected: [(instant: UInt64, number: UInt64, handle: ScheduledEvent)] = []
            var number: UInt64 = 0
            var now: UInt64 = 0
            let range = UInt64(1) << random.next(below: 40)
            for _ in 0..<600 {
                switch random.next(below: 4) {
                case 0, 1:
                    for _ in 0..<random.next(below: 5) {
                        let instant = now + random.next(below: range)
                        let handle = queue.schedule(
                            at: instant, kind: .action, action: nil, argument: number, task: EventQueue.noTask,
                            incarnation: 0)
                        let place = expected.firstIndex { $0.instant > instant } ?? expected.count
                        expected.insert((instant, number, handle), at: place)
                        number += 1
                    }
                case 2:
                    guard !expected.isEmpty else { continue }
                    let victim = expected.remove(at: random.index(below: expected.count))
                    XCTAssertNotNil(queue.remove(victim.handle))
                    XCTAssertNil(queue.remove(victim.handle))
                default:
                    guard let instant = queue.advance(from: now, to: &ready) else {
                        XCTAssertTrue(expected.isEmpty)
                        continue
                    }
                    now = instant
                    while let item = ready.popFirst() {
                        let event = take(item, from: &queue)
                        let next = expected.removeFirst()
                        XCTAssertEqual(event?.argument, next.number, "seed \(seed)")
                        XCTAssertEqual(instant, next.instant, "seed \(seed)")
                    }
                }
                XCTAssertEqual(queue.count, expected.count)
            }
        }
    }

    // A timeout that is armed and cancelled over and over must not leave a trail.
    func testCancelledEventsDoNotPileUp() {
        var queue = EventQueue()
        for round in 0..<100_000 as Range<UInt64> {
            let event = queue.schedule(
                at: 3_600_000_000_000 + round, kind: .action, action: nil, argument: 0, task: EventQueue.noTask,
                incarnation: 0)
            XCTAssertNotNil(queue.remove(event))
        }
        XCTAssertEqual(queue.count, 0)
        XCTAssertLessThan(queue.memoryInEntries, 10_000)
    }

    // A sweep drops the entries of cancelled events; the survivors must keep their order, within an instant too.
    func testASweepKeepsTheOrderOfTheSurvivors() {
        var random = RandomStream(seed: 2)
        var queue = EventQueue()
        var ready = makeReady()
        var survivors: [(instant: UInt64, number: UInt64)] = []
        for number in 0..<20_000 as Range<UInt64> {
            let instant = random.next(below: 500) * 1_000_003
            let event = queue.schedule(
                at: instant, kind: .action, action: nil, argument: number, task: EventQueue.noTask, incarnation: 0)
            if number % 10 == 0 { survivors.append((instant, number)) } else { _ = queue.remove(event) }
        }
        XCTAssertLessThan(queue.memoryInEntries, 60_000)
        survivors.sort { ($0.instant, $0.number) < ($1.instant, $1.number) }
        var seen: [UInt64] = []
        var now: UInt64 = 0
        while let instant = queue.advance(from: now, to: &ready) {
            now = instant
            while let item = ready.popFirst() {
                let event = take(item, from: &queue)
                seen.append(event?.argument ?? 0)
            }
        }
        XCTAssertEqual(seen, survivors.map(\.number))
    }

    // What an event holds may use the queue when it dies.
    func testAnEventsContentMayRemoveAndScheduleWhenItDies() {
        final class Connection {
            var onDeath: () -> Void = {}
            deinit { onDeath() }
        }
        let simulation = Simulation(seed: 1)
        var connection: Connection? = Connection()
        let timer = simulation.schedule(after: .seconds(1)) { [connection] _ in _ = connection }
        connection?.onDeath = {
            XCTAssertFalse(simulation.cancel(timer))
            for _ in 0..<200 { simulation.schedule(after: .seconds(2)) { _ in } }
        }
        connection = nil
        XCTAssertTrue(simulation.cancel(timer))
        XCTAssertEqual(simulation.pendingEvents, 200)
    }

    // Both ends of the range, where the digits of the radix are extreme.
    func testTheWholeRangeOfInstantsWorks() {
        var queue = EventQueue()
        var ready = makeReady()
        let instants: [UInt64] = [.max, 0, 1, 63, 64, 1 << 40, .max - 1, 1 << 63]
        for instant in instants {
            _ = queue.schedule(
                at: instant, kind: .action, action: nil, argument: instant, task: EventQueue.noTask, incarnation: 0)
        }
        var seen: [UInt64] = []
        while let instant = queue.advance(from: seen.last ?? 0, to: &ready) { seen.append(instant) }
        XCTAssertEqual(seen, instants.sorted())
    }
}
