import Activities
import ArgumentParser
import Documents
import Experiments
import FaultProxy
import Glibc
import NIOCore
import NIOPosix
import Ports
import Randomness
import Sessions

/// Runs the fault proxy until a signal ends it.
struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy",
        abstract: "Breaks TCP connections on demand, with Toxiproxy's API.",
        discussion: """
            Serves until SIGINT or SIGTERM: then what the API is answering is answered, and all connections are closed. Each line of the \
            output is a JSON object. Exits with 2 when it was started wrongly, with 1 when it cannot listen.
            """)

    @Option(help: "The address on which the API listens.")
    var host: String = "127.0.0.1"

    @Option(help: "The API's port; 0 chooses one.")
    var port: Int = 8474

    @Option(
        help: ArgumentHelp("Proxies to begin with: a JSON list, as the API's populate takes it.", valueName: "file"),
        completion: .file())
    var config: String?

    @Flag(help: "Write the proxies back to the configuration whenever they change; it need not exist before.")
    var persist: Bool = false

    @Option(help: "What all draws follow from; without it, one is drawn and told.")
    var seed: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port takes a number from 0 to 65535") }
        if persist, config == nil { throw ValidationError("--persist needs --config with the file to write to") }
        if let seed, Seed(seed) == nil {
            throw ValidationError("--seed takes a whole number from 0 to \(UInt64.max), not '\(seed)'")
        }
    }

    func run() async throws {
        Self.allowManyConnections()
        let seed = seed.flatMap { Seed($0) } ?? Seed(UInt64.random(in: 0...UInt64(UInt32.max)))
        let group = MultiThreadedEventLoopGroup.singleton
        let file = try persistedFile()
        var options = FaultProxyServer.Options(
            endpoint: Endpoint(host, port), seed: seed, configuration: try readConfiguration())
        if let file { options.onChange = { file.write($0) } }
        let server: FaultProxyServer
        do {
            server = try await FaultProxyServer.start(options, on: group)
        } catch let error as ProxyError {
            throw failure("--config \(config ?? ""): \(error)", status: error.status == 400 ? 2 : 1)
        } catch {
            throw failure("the API: \(error)", status: 1)
        }
        log("serving", ["api": .string("\(server.endpoint)"), "seed": .largeInteger(seed.description)])
        let name = await Self.nextSignal()
        log("ending", ["signal": .string(name)])
        await server.shutDown()
    }

    /// The file to write changes to, which must be possible from the beginning.
    private func persistedFile() throws -> ConfigurationFile? {
        guard persist, let config else { return nil }
        do {
            return ConfigurationFile(try OutputFile(config))
        } catch {
            throw failure("--config \(error)", status: 2)
        }
    }

    private func readConfiguration() throws -> Value? {
        guard let config else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try Files.read(config).withoutByteOrderMark
        } catch {
            if persist, unsafe access(config, F_OK) != 0 { return nil }
            throw failure("--config \(error)", status: 2)
        }
        do {
            return try JSONReader.read(bytes)
        } catch {
            throw failure("--config \(config): \(error)", status: 2)
        }
    }

    private func failure(_ text: String, status: Int32) -> ExitCode {
        StandardStream.errors.writeLine("windkanal-services proxy: \(text)")
        return ExitCode(status)
    }

    private func log(_ message: String, _ fields: Value.Object) {
        let line: Value.Object = ["message": .string(message)]
        StandardStream.output.writeLine(JSONWriter.write(.object(line.merging(fields))))
    }

    /// Each connection takes two of the files that a process may have open.
    private static func allowManyConnections() {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Waits for a signal that asks for the end.
    private static func nextSignal() async -> String {
        let (stream, ended) = AsyncStream<String>.makeStream()
        let signals = Signals { ended.yield($0.rawValue) }
        defer { signals.end() }
        for await name in stream { return name }
        return ""
    }
}
