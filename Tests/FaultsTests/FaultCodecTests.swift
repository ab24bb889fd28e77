import Documents
import Faults
import Randomness
import XCTest

final class FaultCodecTests: XCTestCase {
    /// A fault of every kind, with and without what may be left out.
    private let examples: [Fault] = [
        .link(.cut, FaultRoute("storage")),
        .link(.cut, FaultRoute("storage", "broker", .inbound)),
        .link(.hold, FaultRoute("poller", "measurement-server")),
        .link(.slow(by: .milliseconds(1500), jitter: .zero), FaultRoute("poller", "broker")),
        .link(.slow(by: .nanoseconds(1_234_567_891), jitter: .milliseconds(3)), FaultRoute("*")),
        .link(.lose(.init(1, outOf: 20)), FaultRoute("broker")),
        .link(.limit(bytesPerSecond: 1000), FaultRoute("broker", "storage-2")),
        .link(.toxic(Toxic("late one", .latency(latency: .milliseconds(5), jitter: .zero))), FaultRoute("gateway")),
        .link(
            .toxic(
                Toxic(
                    "slicer", .slicer(averageSize: 64, sizeVariation: 32, delay: .microseconds(10)),
                    toxicity: .init(250_000, outOf: 1_000_000))), FaultRoute("a", "b", .outbound)),
        .link(.toxic(Toxic("third", .timeout(.seconds(8)), toxicity: .init(1, outOf: 3))), FaultRoute("gateway")),
        .link(
            .toxic(Toxic("holes", .packetLoss(rate: .init(1, outOf: 7), correlation: .zero))), FaultRoute("gateway")),
        .link(.reset, FaultRoute("gateway")),
        .listener(.refuse, "storage"), .listener(.blackHole, "storage"),
        .listener(.acceptLate(by: .seconds(3)), "broker"), .listener(.unresolvable, "broker"),
        .process(.crash(.now, down: .seconds(2)), "storage"), .process(.crash(.operation(17), down: nil), "storage"),
        .process(.crashStarting(after: .milliseconds(20)), "broker"), .process(.pause, "poller"),
        .process(.powerLoss(.now, down: .seconds(9)), "node-1"),
        .process(.powerLoss(.operation(3), down: .seconds(9), outcome: .perSector), "storage"),
        .clock(.step(by: .seconds(-3600)), "poller"), .clock(.drift(nanosecondsPerSecond: -5000), "poller"),
        .disk(.fail(reads: .zero, writes: .init(1, outOf: 7), syncs: .one), "storage"),
        .disk(.fill(free: 4096), "broker"), .disk(.slow(syncs: .milliseconds(250), operations: .zero), "broker"),
        .disk(.slow(syncs: .milliseconds(250), operations: .microseconds(100)), "broker"),
        .disk(.lie(.init(1, outOf: 3)), "broker"), .disk(.rot(bits: 12), "broker"), .disk(.lose, "broker"),
        .custom(CustomFault("schedule", "SD3:1", ["latency": 30, "note": "a \"quoted\" one, {with braces}"])),
    ]

    func testEveryKindOfFaultIsAmongTheExamples() {
        XCTAssertEqual(Set(examples.map(\.kind)), Set(FaultDefinition.all.map(\.name)))
    }

    func testFaultsAreReadBackFromTheirDocuments() throws {
        for fault in examples {
            let text = JSONWriter.write(.object(fault.document))
            let read = try Fault(try XCTUnwrap(JSONReader.read(text.utf8).object))
            XCTAssertEqual(read, fault, text)
        }
    }

    func testFaultsAreReadBackFromTheirLines() throws {
        for fault in examples { XCTAssertEqual(try Fault(line: "\(fault)"), fault, "\(fault)") }
    }

    func testLinesCanBeReadByPeople() {
        XCTAssertEqual("\(examples[1])", "network.cut service=storage other=broker direction=inbound")
        XCTAssertEqual("\(examples[5])", "network.lose service=broker share=1/20")
        XCTAssertEqual("\(examples[18])", "service.crash_starting service=broker seconds=0.02")
    }

    func testSchedulesAreReadBackFromListsOfObjectsAndOfLines() throws {
        var faults: [ScheduledFault] = []
        for (index, fault) in examples.enumerated() {
            let triggers: [FaultTrigger] = [
                .at(.milliseconds(1500 * index)), .on(mark: "outbox.sent", nth: index + 1, delay: .zero),
                .on(mark: "storage.committed", nth: 1, delay: .milliseconds(250)),
            ]
            faults.append(ScheduledFault(triggers[index % 3], for: index % 2 == 0 ? .seconds(index) : nil, fault))
        }
        let schedule = FaultSchedule(faults)
        XCTAssertEqual(try FaultSchedule(schedule.document), schedule)
        let lines = schedule.description.split(separator: "\n").map { Value.string(String($0)) }
        XCTAssertEqual(try FaultSchedule(.array(lines)), schedule)
        XCTAssertEqual(try FaultSchedule(lines: "\(schedule)\n"), schedule)
        XCTAssertEqual(
            faults[1].description,
            "on outbox.sent#2 network.cut service=storage other=broker direction=inbound")
    }

    func testWhatIsNoFaultIsRefusedWithItsPlaceAndRemedy() {
        let cases: [(Value.Object, String)] = [
            ([:], "'fault' names a kind of fault"),
            (["fault": "network.cutt", "service": "a"], "there is no fault 'network.cutt'; there are network.cut"),
            (["fault": "network.cut"], "network.cut needs the argument 'service': a machine"),
            (["fault": "network.cut", "service": "a", "othr": "b"], "has no argument 'othr'; it has service, other"),
            (["fault": "network.cut", "service": "a", "other": "a"], "are the same machine, 'a'"),
            (["fault": "network.cut", "service": "a", "direction": "up"], "is one of both, outbound, inbound"),
            (
                ["fault": "network.slow", "service": "a", "seconds": -1],
                "is a number of seconds from 0 to 86400, not -1"
            ),
            (["fault": "disk.fail", "service": "a"], "nothing would fail"),
            (["fault": "disk.fail", "service": "a", "reads": 1.5], "is 0, a number from 0.000001 to 1"),
            (
                ["fault": "network.toxic", "service": "a", "toxic": ["type": "latenci"]],
                "'type' of the toxic is one of noop, latency"
            ),
            (
                ["fault": "network.toxic", "service": "a", "toxic": ["type": "latency", "attributes": ["delay": 1]]],
                "has no attribute 'delay'; it has latency, jitter"
            ),
        ]
        for (document, message) in cases {
            XCTAssertThrowsError(try Fault(document), message) { error in
                XCTAssertTrue("\(error)".contains(message), "'\(error)' does not say '\(message)'")
            }
        }
        let schedules: [(Value, String)] = [
            ([["fault": "network.hold", "service": "a"]], "fault 1: a scheduled fault has 'at' (seconds) or 'on'"),
            ([["at": 1, "nth": 2, "fault": "network.hold", "service": "a"]], "go with 'on', not with 'at'"),
            (["at 1 for network.hold service=a"], "'for' is a number of seconds"),
            (["at 1 network.hold service=a", 3], "fault 2: a scheduled fault is an object or a line, not a number"),
        ]
        for (document, message) in schedules {
            XCTAssertThrowsError(try FaultSchedule(document), message) { error in
                XCTAssertTrue("\(error)".contains(message), "'\(error)' does not say '\(message)'")
            }
        }
    }
}
