import Documents
import HTTP
import HTTPTypes
import MeasurementServer
import Measurements
import NIOCore
import Ports
import Probing
import Randomness
import SocketWorld
import XCTest

@testable import Pipeline

/// The poller against the mock measurement server, over kernel sockets with TLS and over simulated links: the same results.
final class PollerConformanceTests: XCTestCase {
    private static func certificate(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "fixtures/tls/\(name)").path
    }

    private static func serverOptions(_ arm: Arm) throws -> MeasurementServer.Options {
        var options = MeasurementServer.Options()
        options.flats = 2
        options.credentials = MeasurementServer.Credentials(user: "user", password: "secret")
        options.latency = .fixed(.milliseconds(1))
        if arm == .sockets {
            options.http.listen.tls = try TLSSecurity(
                certificateChain: certificate("server.pem"), privateKey: certificate("server-key.pem"))
        }
        return options
    }

    private static func poller(
        _ arm: Arm, _ stage: Stage, _ endpoint: Endpoint, password: String = "secret", trusting: String = "server.pem",
        bodyBytesMax: Int = 1 << 20
    ) async throws -> Poller {
        var options = Poller.Options(
            profile: .bulkhead, endpoint: endpoint, flats: ["SD0", "SD1", "XX9"],
            authorization: HTTPClient.basicAuthorization(user: "user", password: password))
        options.profile.timeout = .milliseconds(400)
        options.bodyBytesMax = bodyBytesMax
        if arm == .sockets { options.tls = try TLSSecurity(trusting: certificate(trusting)) }
        return try await Poller.make(stage.client, options: options, sink: Forgetful())
    }

    /// Runs a script with a server and what its admin API is reached by, in both arms.
    private func onBothArms(
        _ script: @escaping @Sendable (Arm, Stage, Endpoint, Admin) async throws -> Void
    ) throws {
        for arm in Arm.allCases {
            try arm.run { stage in
                let server = try await MeasurementServer.start(
                    stage.server, at: Endpoint(stage.serverName, 0), seed: 1, options: Self.serverOptions(arm))
                var http = HTTPClient.Options.standard
                if arm == .sockets { http.tls = try TLSSecurity(trusting: Self.certificate("server.pem")) }
                let admin = Admin(
                    client: try await HTTPClient.make(stage.client, options: http), endpoint: server.server.endpoint)
                try await script(arm, stage, server.server.endpoint, admin)
                await admin.client.shutDown()
                await server.shutDown()
            }
        }
    }

    func testAFlatIsFetchedOnceAndThenKnown() throws {
        try onBothArms { arm, stage, endpoint, _ in
            let poller = try await Self.poller(arm, stage, endpoint)
            for _ in 0..<2 {
                let result = await poller.fetch("SD0", timeout: .seconds(2))
                XCTAssertNoThrow(try result.get(), "\(arm)")
            }
            let counters = await poller.counters
            XCTAssertEqual([counters.requests, counters.successes, counters.readings], [2, 2, 8], "\(arm)")
            XCTAssertEqual(counters.duplicates, 8, "\(arm)")
            let latest = await poller.latest(of: "SD0")
            XCTAssertEqual(latest?.count, 8, "\(arm)")
        }
    }

    func testWrongPasswordsCertificatesAndFlatsAreNamed() throws {
        try onBothArms { arm, stage, endpoint, _ in
            let poller = try await Self.poller(arm, stage, endpoint)
            await Self.assertFailure(poller, "XX9", .status(404, retryAfter: nil), arm)
            let stranger = try await Self.poller(arm, stage, endpoint, password: "wrong")
            await Self.assertFailure(stranger, "SD0", .status(401, retryAfter: nil), arm)
            guard arm == .sockets else { return }
            let deceived = try await Self.poller(arm, stage, endpoint, trusting: "other.pem")
            guard case .failure(.http(.transport(_, let reason))) = await deceived.fetch("SD0", timeout: .seconds(2))
            else {
                return XCTFail("a wrong certificate was taken")
            }
            XCTAssertTrue(reason.lowercased().contains("cert"), reason)
        }
    }

    // Every fault of the schedule, injected and taken back by the admin API.
    func testEveryFaultIsNamedAndTheFlatIsBackWhenItIsTakenBack() throws {
        let faults: [(String, PollFailure?)] = [
            ("\"empty\"", .http(.closed(.waiting))), ("\"reset\"", .http(.reset(.waiting))),
            ("\"truncated\"", .http(.closed(.receiving))), ("\"hang\"", .http(.timedOut(.waiting))),
            ("{\"type\":\"dribble\",\"bytes\":10,\"every\":0.1}", .http(.timedOut(.receiving))),
            ("{\"type\":\"status\",\"status\":503,\"retry-after\":7}", .status(503, retryAfter: 7)),
            ("\"malformed\"", nil),
        ]
        try onBothArms { arm, stage, endpoint, admin in
            let poller = try await Self.poller(arm, stage, endpoint)
            for (fault, failure) in faults {
                let injected = try await admin.send(.put, "devices/SD0/schedule", "{\"fault\":\(fault)}")
                XCTAssertEqual(injected, 200, "\(arm) \(fault)")
                switch (await poller.fetch("SD0", timeout: .milliseconds(400)), failure) {
                case (.failure(.payload(.notJSON)), nil): break
                case (.failure(let found), let expected): XCTAssertEqual(found, expected, "\(arm) \(fault)")
                case (.success, _): XCTFail("\(arm) \(fault): it was fetched")
                }
                let removed = try await admin.send(.delete, "devices/SD0/schedule")
                XCTAssertEqual(removed, 200, "\(arm)")
                let result = await poller.fetch("SD0", timeout: .seconds(2))
                XCTAssertNoThrow(try result.get(), "\(arm) after \(fault)")
            }
        }
    }

    // A body beyond the limit, and one that never ends, are given up; the poller lives on.
    func testBodiesWithoutEndAreGivenUp() throws {
        try onBothArms { arm, stage, endpoint, _ in
            let narrow = try await Self.poller(arm, stage, endpoint, bodyBytesMax: 100)
            await Self.assertFailure(narrow, "SD0", .http(.bodyTooLarge(limit: 100)), arm)
            await Self.assertFailure(narrow, "SD1", .http(.bodyTooLarge(limit: 100)), arm)
        }
        for arm in Arm.allCases {
            try arm.run { stage in
                let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) {
                    channel in
                    channel.eventLoop.makeCompletedFuture {
                        let flood = Observer(
                            Observations(),
                            onData: { channel, _ in
                                let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n"
                                channel.writeAndFlush(ByteBuffer(string: head), promise: nil)
                                Self.pour(channel)
                            })
                        try channel.pipeline.syncOperations.addHandler(flood)
                    }
                }.get()
                var options = Poller.Options(profile: .bulkhead, endpoint: listener.endpoint, flats: ["SD0"])
                options.bodyBytesMax = 1 << 20
                let poller = try await Poller.make(stage.client, options: options, sink: Forgetful())
                await Self.assertFailure(poller, "SD0", .http(.bodyTooLarge(limit: 1 << 20)), arm)
                try await listener.close().get()
            }
        }
    }

    /// Writes without end, as fast as the peer takes it.
    private static func pour(_ channel: any Channel) {
        guard channel.isActive else { return }
        channel.writeAndFlush(ByteBuffer.bytes(65_536)).whenSuccess {
            channel.eventLoop.scheduleTask(in: .microseconds(100)) { pour(channel) }
        }
    }

    // The command's probe, over sockets and TLS: one request, its readings, what is not mapped.
    func testAProbeShowsWhatAnAnswerMeans() throws {
        try onBothArms { arm, _, endpoint, _ in
            guard arm == .sockets else { return }
            let url = "https://127.0.0.1:\(endpoint.port)"
            let probe = MeasurementProbe(
                url: url, contract: .ieeFlat, certificates: Self.certificate("server.pem"),
                credentials: ("user", "secret"))
            let report = try await probe.run(flat: "SD1")
            XCTAssertEqual(report.status, 200)
            XCTAssertEqual(report.measurements.readings.count, 8)
            XCTAssertEqual(report.unmapped, [])
            let stranger = MeasurementProbe(
                url: url, contract: .ieeFlat, certificates: Self.certificate("server.pem"), credentials: nil)
            let refused = try await stranger.run(flat: "SD1")
            XCTAssertEqual(refused.status, 401)
            let foreign = MeasurementProbe(
                url: url, contract: .senML, certificates: Self.certificate("server.pem"),
                credentials: ("user", "secret"))
            do {
                _ = try await foreign.run(flat: "SD1")
                XCTFail("another contract was met")
            } catch {
                XCTAssertTrue("\(error)".contains("is not a list"), "\(error)")
            }
        }
    }

    func testTheAdminAPINamesWhatItDoesNotTake() throws {
        try onBothArms { arm, _, _, admin in
            let cases: [(HTTPRequest.Method, String, String, Int)] = [
                (.put, "devices/SD7/schedule", "{}", 404), (.put, "devices/SD0:9/schedule", "{}", 404),
                (.put, "devices/SD0:2/schedule", "{\"latency\":1}", 200), (.put, "schedule", "{", 400),
                (.put, "schedule", "{\"latency\":-1}", 400), (.get, "devices/SD1/schedule", "", 404),
                (.post, "schedule", "{}", 405), (.get, "nothing", "", 404), (.delete, "schedules", "", 200),
            ]
            for (method, path, body, status) in cases {
                let found = try await admin.send(method, path, body)
                XCTAssertEqual(found, status, "\(arm) \(method) \(path) \(body)")
            }
        }
    }

    private static func assertFailure(_ poller: Poller, _ flat: String, _ expected: PollFailure, _ arm: Arm) async {
        switch await poller.fetch(flat, timeout: .seconds(2)) {
        case .success: XCTFail("\(arm): \(flat) was fetched")
        case .failure(let failure): XCTAssertEqual(failure, expected, "\(arm)")
        }
    }
}

extension Poller {
    /// Polls a flat once.
    fileprivate func fetch(_ flat: String, timeout: Duration) async -> Result<[Reading], PollFailure> {
        guard let id = flats[flat]?.id else { return .success([]) }
        flats[flat]?.polling.sweepBegan()
        defer { flats[flat]?.polling.pollEnded() }
        return await fetch(id, timeout: timeout)
    }
}

private struct Admin: Sendable {
    let client: HTTPClient
    let endpoint: Endpoint

    /// Sends a request to the admin API; the answer's status.
    func send(_ method: HTTPRequest.Method, _ path: String, _ body: String = "") async throws -> Int {
        let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: "/_windkanal/\(path)")
        return try await client.send(request, body: ByteBuffer(string: body), to: endpoint).response.status.code
    }
}

private struct Forgetful: MeasurementSink {
    func publish(_ readings: [Reading]) async throws {}
}
