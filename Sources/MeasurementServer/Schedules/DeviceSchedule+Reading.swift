public import Documents
import Durations
import Randomness

/// Why a document is not a schedule.
public struct ScheduleError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where, and what is wrong.
    public let description: String

    init(_ place: String, _ problem: String) {
        description = "\(place.isEmpty ? "the schedule" : place): \(problem)"
    }
}

extension DeviceSchedule {
    /// Windows that a schedule may have.
    public static let windowsMax: Int = 100

    /// Reads a schedule: a window, or `windows` with a list of them.
    ///
    /// Durations are seconds; docs/measurement-server.md has the whole form.
    ///
    /// - Throws: ``ScheduleError`` with the first thing that is wrong.
    public init(_ document: Value) throws(ScheduleError) {
        guard document.object != nil else { throw ScheduleError("", "it is an object, not \(document.kind)") }
        guard let list = document["windows"] else {
            windows = [try WindowReader(value: document, place: "").window()]
            return
        }
        for name in document.object?.keys ?? [] where name != "windows" {
            throw ScheduleError(name, "beside 'windows' there is nothing else; it belongs into a window")
        }
        guard let list = list.array, list.count <= Self.windowsMax else {
            throw ScheduleError("windows", "a list of at most \(Self.windowsMax)")
        }
        windows = []
        for (index, value) in list.enumerated() {
            windows.append(try WindowReader(value: value, place: "windows/\(index)/").window())
        }
    }
}

private struct WindowReader {
    let value: Value
    let place: String

    private static let known: Set<String> = ["from", "to", "latency", "ramp", "probability", "fault", "failures"]

    /// The forms of lateness, and the parts of each besides its type.
    private static let latencies: [String: [String]] = [
        "fixed": ["value"], "uniform": ["min", "max"], "normal": ["mean", "deviation"],
        "lognormal": ["median", "spread"], "spike": ["usual", "spike", "probability"], "trace": ["values"],
    ]

    /// The faults, and the parts of each besides its type.
    private static let faults: [String: [String]] = [
        "reset": [], "empty": [], "malformed": [], "garbled": [], "truncated": [], "dribble": ["bytes", "every"],
        "hang": [],
        "status": ["status", "retry-after"], "stale": [], "duplicate": [], "out-of-order": [], "skew": ["ahead"],
    ]

    func window() throws(ScheduleError) -> DeviceSchedule.Window {
        guard let object = value.object else { throw ScheduleError(place, "a window is an object, not \(value.kind)") }
        for name in object.keys where !Self.known.contains(name) {
            throw ScheduleError(
                place + name, "there is no such part; there are \(Self.known.sorted().joined(separator: ", "))")
        }
        var window = DeviceSchedule.Window()
        window.from = try seconds("from") ?? .zero
        window.to = try seconds("to")
        if let to = window.to, to <= window.from { throw ScheduleError(place + "to", "it is not after 'from'") }
        window.ramp = try seconds("ramp") ?? .zero
        window.probability = try probability(value["probability"], "probability") ?? .one
        window.latency = try value["latency"].map { latency throws(ScheduleError) in try self.latency(latency) }
        window.fault = try value["fault"].map { fault throws(ScheduleError) in try self.fault(fault) }
        if let failures = value["failures"] {
            guard let count = failures.integer, count >= 1 else {
                throw ScheduleError(place + "failures", "a whole number from 1 on")
            }
            window.failures = count
        }
        return window
    }

    // MARK: Numbers

    private func seconds(_ name: String) throws(ScheduleError) -> Duration? {
        guard let value = value[name], !value.isNull else { return nil }
        return try seconds(value, name, longest: 1e8)
    }

    /// Refuses parts that the form does not have: a misspelled one must not be taken for none.
    private func check(_ value: Value, _ known: [String], at name: String) throws(ScheduleError) {
        for part in value.object?.keys ?? [] where part != "type" && !known.contains(part) {
            let parts = known.isEmpty ? "none but type" : (["type"] + known).joined(separator: ", ")
            throw ScheduleError(place + name + "/" + part, "there is no such part; there are \(parts)")
        }
    }

    private func seconds(
        _ value: Value?, _ name: String, longest: Double = DeviceSchedule.delayMax.inSeconds
    ) throws(ScheduleError) -> Duration {
        guard let seconds = value?.number, seconds >= 0, seconds <= longest else {
            throw ScheduleError(place + name, "a number of seconds from 0 to \(Int(longest))")
        }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// A fraction as a number from 0 to 1, or as a string such as 1/20.
    private func probability(_ value: Value?, _ name: String) throws(ScheduleError) -> Ratio? {
        guard let value, !value.isNull else { return nil }
        if let parts = value.string?.split(separator: "/"), parts.count == 2, let top = UInt64(parts[0]),
            let bottom = UInt64(parts[1]), bottom > 0, top <= bottom
        {
            return Ratio(top, outOf: bottom)
        }
        guard let number = value.number, (0...1).contains(number) else {
            throw ScheduleError(place + name, "a number from 0 to 1, or a string such as 1/20")
        }
        return Ratio(UInt64((number * 1_000_000).rounded()), outOf: 1_000_000)
    }

    // MARK: Latency

    private func latency(_ value: Value) throws(ScheduleError) -> DeviceSchedule.Latency {
        if value.number != nil { return .distribution(.fixed(try seconds(value, "latency"))) }
        let distribution: DurationDistribution
        if let type = value["type"]?.string, let known = Self.latencies[type] { try check(value, known, at: "latency") }
        switch value["type"]?.string {
        case "fixed": distribution = .fixed(try seconds(value["value"], "latency/value"))
        case "uniform":
            distribution = .uniform(
                min: try seconds(value["min"], "latency/min"), max: try seconds(value["max"], "latency/max"))
        case "normal":
            distribution = .normal(
                mean: try seconds(value["mean"], "latency/mean"),
                deviation: try seconds(value["deviation"], "latency/deviation"))
        case "lognormal":
            guard let spread = value["spread"]?.number, (0..<8).contains(spread) else {
                throw ScheduleError(place + "latency/spread", "a number from 0 to below 8")
            }
            distribution = .logNormal(
                median: try seconds(value["median"], "latency/median"),
                spread: Ratio(UInt64((spread * 1000).rounded()), outOf: 1000))
        case "spike":
            return .spike(
                usual: try seconds(value["usual"] ?? 0, "latency/usual"),
                spike: try seconds(value["spike"], "latency/spike"),
                probability: try probability(value["probability"], "latency/probability") ?? .one)
        case "trace":
            var trace: [Duration] = []
            for entry in value["values"]?.array ?? [] { trace.append(try seconds(entry, "latency/values")) }
            guard !trace.isEmpty else { throw ScheduleError(place + "latency/values", "a list of seconds") }
            return .trace(trace)
        default:
            throw ScheduleError(
                place + "latency",
                "a number of seconds, or of a type: \(Self.latencies.keys.sorted().joined(separator: ", "))")
        }
        if let problem = distribution.validationError { throw ScheduleError(place + "latency", problem) }
        return .distribution(distribution)
    }

    // MARK: Faults

    private func fault(_ value: Value) throws(ScheduleError) -> DeviceSchedule.Fault {
        let type = value.string ?? value["type"]?.string
        if let type, let known = Self.faults[type] { try check(value, known, at: "fault") }
        switch type {
        case "reset": return .reset
        case "empty": return .empty
        case "malformed": return .malformed
        case "garbled": return .garbled
        case "truncated": return .truncated
        case "hang": return .hang
        case "stale": return .stale
        case "duplicate": return .duplicate
        case "out-of-order": return .outOfOrder
        case "dribble":
            guard let bytes = (value["bytes"] ?? 16).integer, (1...1_000_000).contains(bytes) else {
                throw ScheduleError(place + "fault/bytes", "a whole number from 1 on")
            }
            return .dribble(bytes: bytes, every: try seconds(value["every"] ?? 1, "fault/every"))
        case "status":
            guard let status = value["status"]?.integer, (200...599).contains(status) else {
                throw ScheduleError(place + "fault/status", "a status from 200 to 599")
            }
            guard let wait = value["retry-after"] else { return .status(status, retryAfter: nil) }
            guard let seconds = wait.integer, seconds >= 0 else {
                throw ScheduleError(place + "fault/retry-after", "a whole number of seconds from 0 on")
            }
            return .status(status, retryAfter: seconds)
        case "skew": return .skew(try seconds(value["ahead"], "fault/ahead"))
        default:
            throw ScheduleError(place + "fault", "one of \(Self.faults.keys.sorted().joined(separator: ", "))")
        }
    }
}
