import Documents
import Foundation
import XCTest

/// The executable that runs for real, as people start it.
final class ServicesTests: XCTestCase {
    private var folder: URL = URL(filePath: "/tmp")
    private var products: URL { Bundle.main.bundleURL }

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(at: folder) }

    /// A proxy's process, and the port of its API.
    private func start(_ program: String, _ arguments: [String]) throws -> (process: Process, port: Int) {
        let (process, output, _) = try launch(program, arguments)
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let api = try JSONReader.read(line.utf8)["api"]?.string?.split(separator: ":").last
        return (process, try XCTUnwrap(api.flatMap { Int($0) }, line))
    }

    private func launch(_ program: String, _ arguments: [String]) throws -> (Process, output: Pipe, errors: Pipe) {
        let process = Process()
        process.executableURL = products.appending(path: program)
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return (process, output, errors)
    }

    private func ask(_ port: Int, _ method: String, _ path: String, _ body: String = "") throws -> String {
        let socket = try TestSocket(connectingTo: port)
        socket.send(
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        return String(decoding: socket.receiveAll().bytes, as: UTF8.self)
    }

    // The functions that simulations replace (clocks, randomness, threads) would otherwise lie between real clients and the system.
    func testTheExecutableHasNoneOfTheInterposedFunctions() throws {
        func defined(_ program: String) throws -> Set<Substring> {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/nm")
            process.arguments = ["--defined-only", products.appending(path: program).path]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").last })
        }
        try XCTSkipUnless(FileManager.default.isExecutableFile(atPath: "/usr/bin/nm"), "there is no nm")
        let interposed: Set<Substring> = ["clock_gettime", "getrandom", "nanosleep", "pthread_create", "epoll_wait"]
        let simulating = try defined("windkanal")
        XCTAssertFalse(simulating.isDisjoint(with: interposed), "this test no longer sees what it looks for")
        let real = try defined("windkanal-services")
        XCTAssertFalse(real.isEmpty)
        XCTAssertEqual(real.intersection(interposed), [])
        XCTAssertEqual(real.filter { $0.hasPrefix("seam_") }, [])
    }

    func testTheCommandStartsItEndsWithASignalAndKeepsItsProxies() throws {
        let config = folder.appending(path: "proxies.json").path
        let arguments = ["proxy", "--port", "0", "--seed", "3", "--config", config, "--persist"]
        let (first, port) = try start("windkanal", arguments)
        XCTAssertTrue(
            try ask(port, "POST", "/proxies", #"{"name":"a","listen":"127.0.0.1:0","upstream":"u:1"}"#).contains(
                " 201 "))
        XCTAssertTrue(try ask(port, "POST", "/proxies/a/toxics", #"{"type":"noop"}"#).contains(" 200 "))
        first.terminate()
        first.waitUntilExit()
        XCTAssertEqual(first.terminationStatus, 0)
        XCTAssertEqual(first.terminationReason, .exit)
        let (second, again) = try start("windkanal-services", arguments)
        XCTAssertTrue(try ask(again, "GET", "/proxies/a").contains("noop_downstream"))
        kill(second.processIdentifier, SIGINT)
        second.waitUntilExit()
        XCTAssertEqual(second.terminationStatus, 0)
    }

    func testWrongStartsAreToldWithTheirRemedy() throws {
        let broken = folder.appending(path: "broken.json")
        try Data("[{\"name\": }]".utf8).write(to: broken)
        let incomplete = folder.appending(path: "incomplete.json")
        try Data("[{\"name\": \"a\"}]".utf8).write(to: incomplete)
        let cases: [([String], Int32, String)] = [
            (["--port", "70000"], 2, "--port takes a number from 0 to 65535"),
            (["--persist"], 2, "--persist needs --config"), (["--seed", "x"], 2, "--seed takes a whole number"),
            (["--config", "/nowhere.json"], 2, "/nowhere.json"), (["--config", broken.path], 2, "line 1"),
            (["--config", incomplete.path], 2, "missing required field: upstream at proxy 1"),
            (["--host", "192.0.2.1"], 1, "192.0.2.1"),
        ]
        for (arguments, status, text) in cases {
            let (process, _, errors) = try launch("windkanal-services", ["proxy", "--port", "0"] + arguments)
            process.waitUntilExit()
            let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            XCTAssertEqual(process.terminationStatus, status, "\(arguments): \(said)")
            XCTAssertTrue(said.contains(text), "\(arguments): \(said)")
        }
    }
}
