import Activities
public import Documents
import Glibc
import Sessions
import SimulationKernel

/// Whether the command can do its work on this machine: what is looked at, what was found, and what to do.
public struct Diagnosis: Sendable {
    /// How much works.
    public enum State: String, Hashable, Sendable {
        /// It works.
        case fine
        /// Part of the command's work cannot be done.
        case limited
        /// Simulations, or the command as a whole, cannot work.
        case broken
    }

    /// What was found at one place.
    public struct Entry: Hashable, Sendable {
        /// What was looked at.
        public let name: String
        /// How much works.
        public let state: State
        /// What was found.
        public let text: String
        /// What to do; nil where there is nothing to do.
        public let remedy: String?

        init(_ name: String, _ text: String) { self.init(name, .fine, text, remedy: nil) }

        init(_ name: String, _ state: State, _ text: String, remedy: String?) {
            self.name = name
            self.state = state
            self.text = text
            self.remedy = remedy
        }

        /// The entry as an object.
        public var json: Value.Object {
            [
                "event": "check", "name": .string(name), "state": .string(state.rawValue), "text": .string(text),
                "remedy": remedy.map(Value.string) ?? .null,
            ]
        }
    }

    /// Where the command runs.
    public struct Surroundings: Sendable {
        /// The process' environment.
        public var environment: [String: String]
        /// Where journals and reports go.
        public var folder: String = "."
        /// Where temporary files go.
        public var temporaryFolder: String
        /// Whether the errors' channel is a terminal.
        public var isTerminal: Bool
        /// The program that sweeps start for their seeds.
        public var program: String = "/proc/self/exe"
        /// The parts that simulations rely on.
        var parts: @Sendable () -> [PlatformPart] = { PlatformPart.all }
        /// Simulates something for a seed, and returns the digest.
        var simulate: @Sendable (UInt64) throws -> String = SmallSimulation.digest
        /// The address on which a port is opened.
        var address: UInt32 = INADDR_LOOPBACK

        /// The surroundings of this process.
        ///
        /// - Parameter environment: The process' environment.
        public init(environment: [String: String]) {
            self.environment = environment
            temporaryFolder = environment["TMPDIR"] ?? "/tmp"
            isTerminal = isatty(2) != 0
        }
    }

    private let surroundings: Surroundings

    /// Prepares a diagnosis.
    public init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
    }

    /// The gravest state of entries.
    public static func state(of entries: [Entry]) -> State {
        entries.contains { $0.state == .broken }
            ? .broken
            : entries.contains { $0.state == .limited } ? .limited : .fine
    }

    /// Looks at everything, in order; `found` gets each entry when it is there.
    ///
    /// - Returns: All entries.
    public func run(found: (Entry) -> Void = { _ in }) async -> [Entry] {
        var entries: [Entry] = []
        func add(_ new: [Entry]) {
            for entry in new { found(entry) }
            entries += new
        }
        add([machine])
        add(await simulations())
        add([
            folder(surroundings.folder, for: "journals"), folder(surroundings.temporaryFolder, for: "temporary files"),
        ])
        add([await sweeps(), ports, certificates])
        add([await python(), settings, terminal])
        return entries
    }

    // MARK: Simulations

    private func simulations() async -> [Entry] {
        let meanings = [
            "interposition":
                "clocks, randomness and threads are ours; the runtime is dynamic",
            "executor": "the runtime hands its jobs to the simulation",
            "task layout": "tasks are laid out as in Swift 6.3",
        ]
        var entries: [Entry] = []
        for part in surroundings.parts() {
            guard let problem = part.problem else {
                entries.append(Entry(part.name, meanings[part.name] ?? "works"))
                continue
            }
            entries.append(
                Entry(
                    part.name, .broken, "simulations cannot run here: \(problem)",
                    remedy:
                        "build with Swift 6.3 on Linux with glibc, without --static-swift-stdlib, and preload no other library"
                ))
            return entries
        }
        return entries + [await repetition()]
    }

    /// Simulates the same on two threads at once.
    private func repetition() async -> Entry {
        let name = "repetition"
        let simulate = surroundings.simulate
        do {
            let digests = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<2 { group.addTask { try simulate(42) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let other = try simulate(43)
            guard Set(digests).count == 1, digests.first != other else {
                return Entry(
                    name, .broken, "the same hour of virtual time, simulated on two threads, was not the same",
                    remedy:
                        "please report this with the output of `windkanal doctor --json`: nothing that is simulated here can be trusted"
                )
            }
            return Entry(name, "an hour of virtual time, on two threads at once: one digest")
        } catch {
            return Entry(
                name, .broken, "a simulation failed: \(error)",
                remedy: "end other programs if memory is short; else please report this")
        }
    }

    // MARK: Machine

    private var machine: Entry {
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return Entry("machine", "\(Machine.platform), \(cores) \(cores == 1 ? "core" : "cores"), which sweeps use")
    }

    private func folder(_ path: String, for use: String) -> Entry {
        let file = "\(path)/.windkanal-doctor-\(getpid())"
        do {
            // As journals are written: beside the file, and then into its place.
            try OutputFile(file).write("x")
            let isThere = Files.exists(file)
            unsafe unlink(file)
            if isThere { return Entry(use, "can be written in \(path == "." ? "this folder" : path)") }
            return Entry(use, .limited, "what was written in \(path) is not there", remedy: "use another file system")
        } catch {
            return Entry(
                use, .limited, "cannot be written: \(error)",
                remedy: use == "journals"
                    ? "go to a folder that can be written, or give --journal-path"
                    : "set TMPDIR to a folder that can be written")
        }
    }

    private func sweeps() async -> Entry {
        let program = surroundings.program
        let child = ChildProcess(
            path: program, arguments: [program, "--version"], environment: surroundings.environment,
            timeout: .seconds(10))
        let outcome = await child.run()
        if case .ended(0, let output, _) = outcome, String(decoding: output, as: UTF8.self).hasPrefix("windkanal") {
            return Entry("processes", "can be started and waited for, as sweeps and process activities need it")
        }
        let problem =
            switch outcome {
            case .ended(let status, _, _): "it ended with \(status)"
            case .timedOut: "it did not end"
            case .notStarted(let reason): reason
            case .cancelled, .tooMuchOutput: "it was ended"
            }
        return Entry(
            "processes", .limited, "\(program) cannot be started: \(problem)",
            remedy:
                "--seeds and process activities need /proc and pidfd_open (Linux 5.3): mount it, or let the container have it"
        )
    }

    private var ports: Entry {
        let problem = LoopbackPort.problem(on: surroundings.address)
        guard let problem else { return Entry("ports", "can be opened and reached on 127.0.0.1") }
        return Entry(
            "ports", .limited, "a port cannot be opened and reached on 127.0.0.1: \(problem)",
            remedy:
                "simulations need none; for real HTTP activities bring the loopback interface up (ip link set lo up)")
    }

    private var certificates: Entry {
        let places = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
            "/etc/pki/tls/cacert.pem", "/etc/ssl/cert.pem", "/etc/ssl/certs",
        ]
        if let place = places.first(where: Files.exists) { return Entry("certificates", "of \(place)") }
        return Entry(
            "certificates", .limited, "there are none, so no server of https:// is trusted",
            remedy: "install them (apt-get install ca-certificates), or give `windkanal probe --ca-file`")
    }

    // MARK: What people bring

    private func python() async -> Entry {
        let remedy = "only python activities and controls need it: install python3, or name one in WINDKANAL_PYTHON"
        let named = surroundings.environment["WINDKANAL_PYTHON"]
        guard let path = Programs(environment: surroundings.environment).locate(named ?? "python3") else {
            let text =
                named.map { "WINDKANAL_PYTHON names '\($0)', which is not a program" } ?? "python3 is not in PATH"
            return Entry("python", .limited, text, remedy: remedy)
        }
        let child = ChildProcess(
            path: path, arguments: [path, "-c", "import sys; print(sys.version.split()[0])"],
            environment: surroundings.environment, timeout: .seconds(10))
        guard case .ended(0, let output, _) = await child.run() else {
            return Entry("python", .limited, "\(path) does not run", remedy: remedy)
        }
        let version = String(decoding: output, as: UTF8.self).split(separator: "\n").first ?? ""
        return Entry("python", "\(version) (\(path)), for python activities and controls")
    }

    private var settings: Entry {
        let home = surroundings.environment["HOME"] ?? ""
        let path = "\(home)/.chaostoolkit/settings.yaml"
        guard Files.exists(path) else { return Entry("settings", "none, which is the rule") }
        do {
            _ = try Settings.read(path)
            return Entry("settings", "of \(path)")
        } catch {
            return Entry("settings", .limited, "\(error)", remedy: "correct the file, or take it away")
        }
    }

    private var terminal: Entry {
        let colors = ColorChoice(environment: surroundings.environment, isTerminal: surroundings.isTerminal)
        let kind =
            surroundings.isTerminal
            ? surroundings.environment["TERM"] ?? "of an unknown kind" : "none: lines for files and pipes"
        return Entry("terminal", "\(kind); \(colors.isColored ? "colours" : "no colours"), because \(colors.reason)")
    }
}
