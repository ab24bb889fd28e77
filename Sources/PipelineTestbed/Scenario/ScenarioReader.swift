import Documents
public import Experiments
import Faults
import MeasurementServer
import Measurements
import Pipeline
import Randomness
import Testbed

/// Why an extension is no scenario.
public struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
    /// All that is wrong, each with its place in the extension.
    public let problems: [String]

    /// The problems as findings of validation.
    public func findings(of experiment: Experiment) -> [Finding] {
        let pointer = Self.pointer(in: experiment)
        return problems.map {
            Finding(
                .error, "the extension '\(Scenario.extensionName)': \($0)", at: pointer,
                remedy: "docs/scenarios.md has its form", place: experiment.document.place(of: pointer))
        }
    }

    /// A warning as a finding of validation.
    static func warning(_ text: String, of experiment: Experiment) -> Finding {
        let pointer = pointer(in: experiment)
        return Finding(
            .warning, "the extension '\(Scenario.extensionName)': \(text)", at: pointer, remedy: nil,
            place: experiment.document.place(of: pointer))
    }

    private static func pointer(in experiment: Experiment) -> Pointer {
        let names = experiment["extensions"]?.array ?? []
        let index = names.firstIndex { $0["name"] == .string(Scenario.extensionName) } ?? 0
        return Pointer(tokens: ["extensions", String(index)])
    }

    /// A line for each problem.
    public var description: String {
        problems.map { "the extension '\(Scenario.extensionName)': \($0)" }.joined(separator: "\n")
    }
}

extension Scenario {
    /// Reads the extension of an experiment; nil if it has none.
    ///
    /// - Parameters:
    ///   - experiment: The experiment.
    ///   - read: Reads a file that the scenario names, relative to the experiment's.
    /// - Throws: ``ScenarioError`` with everything that is wrong.
    public init?(
        of experiment: Experiment, reading read: @escaping (String) throws -> [UInt8] = { _ in throw NoFiles() }
    ) throws(ScenarioError) {
        guard let value = experiment.extension(Self.extensionName) else { return nil }
        var reader = ScenarioReader(folder: experiment.origin, read: read)
        self = reader.scenario(value)
        warnings = reader.warnings
        guard reader.problems.isEmpty else { throw ScenarioError(problems: reader.problems) }
    }

    /// Who reads a scenario cannot read files.
    public struct NoFiles: Error, CustomStringConvertible {
        /// What is missing.
        public let description: String = "files cannot be read here"

        /// That files cannot be read.
        public init() {}
    }
}

/// Reads a scenario and gathers what is wrong with it.
private struct ScenarioReader {
    /// The folder of the experiment's file, with its slash; empty for none.
    private let folder: String
    private let read: (String) throws -> [UInt8]
    private(set) var problems: [String] = []
    private(set) var warnings: [String] = []
    /// How long the landscape runs.
    private var duration: Duration = .zero

    init(folder origin: String, read: @escaping (String) throws -> [UInt8]) {
        let isFile = !origin.hasPrefix("http://") && !origin.hasPrefix("https://")
        folder = isFile ? origin.lastIndex(of: "/").map { String(origin[...$0]) } ?? "" : ""
        self.read = read
    }

    mutating func scenario(_ value: Value) -> Scenario {
        var scenario = Scenario()
        check(
            value,
            ["name", "landscape", "seed", "warm-up", "duration", "bound", "faults", "recovery", "invariants"], at: "")
        if let seed = count(value["seed"], 0...Int.max, "seed") { scenario.seed = Seed(UInt64(seed)) }
        scenario.warmUp = seconds(value["warm-up"], "warm-up") ?? scenario.warmUp
        scenario.duration = seconds(value["duration"], "duration") ?? scenario.duration
        if scenario.duration > Scenario.durationMax || scenario.warmUp > scenario.duration {
            add("duration", "is at most a week, and not shorter than warm-up")
        }
        duration = scenario.duration
        if let landscape = value["landscape"] { readLandscape(landscape, &scenario) }
        if let bound = value["bound"] { readBound(bound, &scenario) }
        readFaults(value, &scenario)
        return scenario
    }

    private mutating func readBound(_ value: Value, _ scenario: inout Scenario) {
        guard check(value, ["age", "seconds", "settle", "binds"], at: "bound/") else { return }
        let kinds = Scenario.AgeKind.allCases.map { ($0.rawValue, $0) }
        guard let age = choice(value["age"] ?? .null, kinds, "bound/age") else { return }
        guard let seconds = value["seconds"]?.number, seconds > 0, seconds.isFinite else {
            return add("bound/seconds", "is a number above 0")
        }
        let settle = self.seconds(value["settle"], "bound/settle")
        // Who says when it may be exceeded means that it binds.
        let binds = flag(value["binds"], "bound/binds") ?? (settle != nil)
        scenario.bound = Scenario.Bound(age: age, seconds: seconds, binds: binds, settle: settle ?? .zero)
    }

    private mutating func readFaults(_ value: Value, _ scenario: inout Scenario) {
        if let faults = value["faults"] {
            do throws(FaultError) {
                scenario.faults = try FaultSchedule(faults)
                let names = PipelineMap(scenario).names
                for (index, entry) in scenario.faults.faults.enumerated() {
                    if case .on(let mark, _, _) = entry.trigger, !StormMarks.all.contains(Mark(mark)) {
                        add("faults/\(index)", "waits for the mark '\(mark)', which no service reaches")
                    }
                    guard let problem = entry.fault.definition.problem(of: entry.fault.arguments, names: names) else {
                        continue
                    }
                    add("faults/\(index)", "cannot be applied: \(problem)")
                }
            } catch {
                add("faults", "is no fault schedule: \(error)")
            }
        }
        scenario.recovery = seconds(value["recovery"], "recovery") ?? scenario.recovery
        if scenario.recovery > .zero, scenario.recovery > scenario.duration - scenario.warmUp {
            add("recovery", "is at most the duration without the warm-up")
        }
        guard let list = value["invariants"] else { return }
        let known = Scenario.Claim.allCases.map(\.rawValue)
        guard let names = list.array else {
            return add("invariants", "is a list of \(known.joined(separator: ", "))")
        }
        var claims: Set<Scenario.Claim> = []
        for (index, name) in names.enumerated() {
            guard let claim = name.string.flatMap(Scenario.Claim.init) else {
                add("invariants/\(index)", "is one of \(known.joined(separator: ", "))")
                continue
            }
            if scenario.persistence == nil, claim != .fresh {
                add("invariants/\(index)", "needs a landscape with 'persistence': without it nothing is kept")
            }
            claims.insert(claim)
        }
        scenario.chosenClaims = claims
    }

    // MARK: The landscape

    private mutating func readLandscape(_ value: Value, _ scenario: inout Scenario) {
        let known = ["flats", "rooms", "contract", "poller", "latency", "credentials", "series", "persistence"]
        guard check(value, known, at: "landscape/") else { return }
        scenario.flats = count(value["flats"], 1...Scenario.flatsMax, "landscape/flats") ?? scenario.flats
        scenario.rooms = count(value["rooms"], 1...100, "landscape/rooms") ?? scenario.rooms
        scenario.latency = seconds(value["latency"], "landscape/latency") ?? scenario.latency
        if let contract = value["contract"] {
            let presets = MeasurementContract.presets.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            scenario.contract = choice(contract, presets, "landscape/contract") ?? scenario.contract
        }
        if let credentials = value["credentials"] {
            scenario.credentials = self.credentials(credentials)
        }
        if let series = value["series"] { scenario.series = self.series(series, scenario.contract) }
        if let poller = value["poller"] { readPoller(poller, &scenario) }
        if let persistence = value["persistence"] { scenario.persistence = self.persistence(persistence) }
    }

    private mutating func persistence(_ value: Value) -> Persistence {
        var persistence = Persistence()
        let place = "landscape/persistence/"
        let known = [
            "sender", "acks", "queue", "delivery-timeout", "partitions", "retention", "commits-before-processing",
            "offset-reset",
            "rejoins-when-fenced", "retains-after-ack", "storage-syncs", "ingesters", "checkpoint-messages",
            "checkpoint-pages", "batch",
            "storage-queue", "cache-pages",
        ]
        guard check(value, known, at: place) else { return persistence }
        let acks =
            value["acks"].map { choice($0, BrokerAcks.allCases.map { ($0.rawValue, $0) }, place + "acks") ?? .all }
        switch choice(value["sender"] ?? "outbox", [("outbox", true), ("memory", false)], place + "sender") {
        case false?:
            persistence.sender = .memory(
                acks: acks ?? .leader, readingsMax: count(value["queue"], 1...1_000_000, place + "queue") ?? 10_000,
                deliveryTimeout: seconds(value["delivery-timeout"], place + "delivery-timeout") ?? .seconds(120))
        case true?, nil:
            for part in ["queue", "delivery-timeout"] where value[part] != nil {
                add(place + part, "belongs to the sender 'memory'")
            }
            persistence.sender = .outbox(
                acks ?? .all, keep: seconds(value["retains-after-ack"], place + "retains-after-ack") ?? .zero)
        }
        persistence.partitions = count(value["partitions"], 1...64, place + "partitions") ?? persistence.partitions
        persistence.ingesters = count(value["ingesters"], 1...16, place + "ingesters") ?? persistence.ingesters
        if let messages = count(value["checkpoint-messages"], 1...1_000_000, place + "checkpoint-messages") {
            persistence.brokerRules.checkpointMessages = messages
        }
        if let pages = count(value["checkpoint-pages"], 1...1_000_000, place + "checkpoint-pages") {
            persistence.storageRules.checkpointPages = pages
            persistence.outboxRules.checkpointPages = pages
        }
        persistence.batch = count(value["batch"], 1...500, place + "batch")
        if let pages = count(value["cache-pages"], 1...1_000_000, place + "cache-pages") {
            persistence.storageRules.cachePages = pages
            persistence.brokerRules.cachePages = pages
            persistence.outboxRules.cachePages = pages
        }
        persistence.storageQueue = count(value["storage-queue"], 0...1000, place + "storage-queue")
        persistence.retention = seconds(value["retention"], place + "retention")
        persistence.commitsBeforeProcessing =
            flag(value["commits-before-processing"], place + "commits-before-processing") ?? false
        persistence.storageSyncs = flag(value["storage-syncs"], place + "storage-syncs") ?? true
        persistence.rejoinsWhenFenced =
            flag(value["rejoins-when-fenced"], place + "rejoins-when-fenced") ?? true
        if let begins = value["offset-reset"] {
            persistence.resetsToEarliest =
                choice(begins, [("earliest", true), ("latest", false)], place + "offset-reset") ?? true
        }
        return persistence
    }

    private mutating func flag(_ value: Value?, _ place: String) -> Bool? {
        guard let value else { return nil }
        if value.bool == nil { add(place, "is a truth value") }
        return value.bool
    }

    private mutating func credentials(_ value: Value) -> MeasurementServer.Credentials? {
        guard check(value, ["user", "password"], at: "landscape/credentials/") else { return nil }
        guard let user = value["user"]?.string, let password = value["password"]?.string, !user.contains(":") else {
            add("landscape/credentials", "has the texts user, without a colon, and password")
            return nil
        }
        return MeasurementServer.Credentials(user: user, password: password)
    }

    /// Files of measured values: `[{"file": "rooms.csv", "columns": {"temperature_c": "temperature"}}]`.
    private mutating func series(_ value: Value, _ contract: MeasurementContract) -> MeasuredSeries? {
        guard let list = value.array, !list.isEmpty else {
            add("landscape/series", "is a list of files")
            return nil
        }
        var all: MeasuredSeries?
        for (index, entry) in list.enumerated() {
            let place = "landscape/series/\(index)/"
            guard check(entry, ["file", "columns"], at: place) else { continue }
            guard let file = entry["file"]?.string, !file.isEmpty else {
                add(place + "file", "is the name of a file")
                continue
            }
            var columns: [String: String] = [:]
            for (column, channel) in entry["columns"]?.object ?? [:] {
                guard let name = channel.string, contract.channels.contains(where: { $0.name == name }) else {
                    let known = contract.channels.map(\.name).joined(separator: ", ")
                    add(place + "columns/\(column)", "is a channel of the contract: \(known)")
                    continue
                }
                columns[column] = name
            }
            if columns.isEmpty { add(place + "columns", "names a channel for at least one column") }
            let path = file.hasPrefix("/") ? file : folder + file
            do {
                guard let text = String(validating: try read(path), as: UTF8.self) else {
                    add(place + "file", "is not UTF-8: \(path)")
                    continue
                }
                guard !columns.isEmpty else { continue }
                let series = try MeasuredSeries(csv: text, channels: columns)
                noteBeginning(of: series, file, place + "file")
                if all == nil { all = series } else { all?.add(series) }
            } catch let error as MeasuredSeries.Malformed {
                add(place + "file", "is no series: \(file), \(error)")
            } catch {
                let problem = "\(error)"
                add(place + "file", "cannot be read: \(problem.hasPrefix(path) ? problem : "\(file): \(problem)")")
            }
        }
        return all
    }

    /// The first flat replays a series from its beginning on, and measures nothing before.
    private mutating func noteBeginning(of series: MeasuredSeries, _ file: String, _ place: String) {
        let end = duration.components.seconds
        guard series.firstSeconds >= end else { return }
        warnings.append(
            "\(place) begins \(series.firstSeconds) s after its beginning and the run ends after \(end) s: flats measure nothing, or late (\(file))"
        )
    }

    // MARK: The poller

    private mutating func readPoller(_ value: Value, _ scenario: inout Scenario) {
        let place = "landscape/poller/"
        let known = [
            "profile", "interval", "timeout", "overlap", "spread-phase", "retry-after", "bulkhead", "breaker", "retry",
        ]
        guard check(value, known, at: place) else { return }
        var settings = PollerSettings()
        settings.interval = seconds(value["interval"], place + "interval")
        settings.timeout = seconds(value["timeout"], place + "timeout")
        settings.overlap = count(value["overlap"], 1...64, place + "overlap")
        if let spreads = value["spread-phase"] {
            if spreads.bool == nil { add(place + "spread-phase", "is a truth value") }
            settings.spreadsPhase = spreads.bool
        }
        settings.retryAfterMax = part(value["retry-after"]) { $0.seconds($1, place + "retry-after") }
        settings.bulkhead = part(value["bulkhead"]) { $0.bulkhead($1, place + "bulkhead/") }
        settings.breaker = part(value["breaker"]) { $0.breaker($1, place + "breaker/") }
        settings.retry = part(value["retry"]) { $0.retry($1, place + "retry/") }
        var profile = PollerProfile.pipelined
        if let name = value["profile"] {
            profile = choice(name, PollerProfile.all.map { ($0.name, $0) }, place + "profile") ?? profile
        }
        scenario.pollerSettings = settings
        do {
            try scenario.use(profile)
            scenario.fileProfile = profile
        } catch {
            problems += error.problems
        }
    }

    /// A mechanism: left as it is where nothing is said, left out where null is.
    private mutating func part<Part>(_ value: Value?, _ read: (inout Self, Value) -> Part?) -> Part?? {
        guard let value else { return nil }
        return .some(value.isNull ? nil : read(&self, value))
    }

    private mutating func bulkhead(_ value: Value, _ place: String) -> Bulkhead.Options? {
        guard check(value, ["total", "slow"], at: place) else { return nil }
        guard let total = count(value["total"] ?? .null, 2...100_000, place + "total"),
            let slow = count(value["slow"] ?? .null, 1...(total - 1), place + "slow")
        else { return nil }
        return Bulkhead.Options(total: total, slow: slow)
    }

    private mutating func breaker(_ value: Value, _ place: String) -> CircuitBreaker.Options? {
        guard check(value, ["failures", "open", "probe-timeout"], at: place) else { return nil }
        guard let failures = count(value["failures"] ?? .null, 1...1000, place + "failures"),
            let open = seconds(value["open"] ?? .null, place + "open"),
            let timeout = seconds(value["probe-timeout"] ?? .null, place + "probe-timeout")
        else { return nil }
        return CircuitBreaker.Options(failures: failures, open: open, probeTimeout: timeout)
    }

    private mutating func retry(_ value: Value, _ place: String) -> PollerProfile.Retry? {
        guard check(value, ["base", "cap", "budget-percent", "attempts"], at: place) else { return nil }
        guard let base = seconds(value["base"] ?? .null, place + "base"),
            let cap = seconds(value["cap"] ?? .null, place + "cap"),
            let percent = count(value["budget-percent"] ?? .null, 0...100, place + "budget-percent"),
            let attempts = count(value["attempts"] ?? .null, 1...10, place + "attempts")
        else { return nil }
        return PollerProfile.Retry(base: base, cap: cap, budgetPercent: percent, attemptsMax: attempts)
    }

    // MARK: Parts

    private mutating func add(_ place: String, _ problem: String) {
        problems.append("\(place) \(problem)")
    }

    @discardableResult
    private mutating func check(_ value: Value, _ known: [String], at place: String) -> Bool {
        guard let object = value.object else {
            add(String(place.dropLast()), "is an object, not \(value.kind)")
            return false
        }
        for name in object.keys where !known.contains(name) {
            add(place + name, "is not known; there are \(known.joined(separator: ", "))")
        }
        return true
    }

    private mutating func seconds(_ value: Value?, _ place: String) -> Duration? {
        guard let value else { return nil }
        guard let seconds = value.number, (0...1e7).contains(seconds) else {
            add(place, "is a number of seconds from 0 on")
            return nil
        }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    private mutating func count(_ value: Value?, _ range: ClosedRange<Int>, _ place: String) -> Int? {
        guard let value else { return nil }
        guard let count = value.integer, range.contains(count) else {
            let limit = range.upperBound == .max ? "on" : "to \(range.upperBound)"
            add(place, "is a whole number from \(range.lowerBound) \(limit)")
            return nil
        }
        return count
    }

    private mutating func choice<Choice>(_ value: Value, _ choices: [(String, Choice)], _ place: String) -> Choice? {
        if let found = choices.first(where: { $0.0 == value.string }) { return found.1 }
        add(place, "is one of \(choices.map(\.0).joined(separator: ", "))")
        return nil
    }
}
