import Documents

/// Reads what happened in one run from its events.
struct RunReader {
    private var run: RunRecord = RunRecord()
    /// When the run began, in seconds since 1970: of a landscape when its clock began, in reality when the first event came.
    private var origin: Double?
    private var first: Double?
    private var last: Double = 0
    private var hasRun: Bool = false
    private var begun: [String: Double] = [:]

    /// What happened; nil if there was no run.
    var record: RunRecord? {
        guard hasRun else { return nil }
        var record = run
        let shift = origin ?? first ?? 0
        func relative(_ time: Double) -> Double { max(0, time - shift) }
        record.activities = run.activities.map { activity in
            RunRecord.Activity(
                name: activity.name, kind: activity.kind, phase: activity.phase, time: relative(activity.time),
                status: activity.status, failure: activity.failure)
        }
        func relative(_ tests: [RunRecord.Test]) -> [RunRecord.Test] {
            tests.map {
                RunRecord.Test(phase: $0.phase, time: relative($0.time), isMet: $0.isMet, probe: $0.probe)
            }
        }
        record.tests = relative(run.tests)
        record.turns = relative(run.turns)
        if record.end == 0 { record.end = relative(last) }
        if record.verdict == "unknown" { record.verdict = "interrupted" }
        return record
    }

    mutating func read(_ event: String, _ object: Value.Object) {
        if let time = object["time"]?.string.flatMap(Moment.seconds) {
            first = first ?? time
            last = max(last, time)
            read(event, object, at: time)
        } else {
            read(event, object, at: last)
        }
    }

    private mutating func read(_ event: String, _ object: Value.Object, at time: Double) {
        switch event {
        case "run-begins":
            hasRun = true
            run.title = object["title"]?.string ?? "Untitled"
        case "landscape": readLandscape(object, at: time)
        case "sample": if let sample = RunRecord.Sample(object) { run.samples.append(sample) }
        case "latency": run.latency = RunRecord.Latency(object)
        case "ledger": run.ledger = RunRecord.Ledger(object)
        case "messages": run.messages = RunRecord.Messages(object)
        case "testbed": readTestbed(object["name"]?.string ?? "", object["details"]?.object ?? [:])
        case "hypothesis-begins": run.hypothesis = object["title"]?.string
        case "hypothesis-ended": readTest(object, at: time)
        case "continuous-hypothesis-ended":
            run.testsBeside = object["tests"]?.integer ?? 0
            run.testsBesideMet = object["met"]?.integer ?? 0
        case "activity-begins": begun[object["pointer"]?.string ?? ""] = time
        case "activity-ended": readActivity(object, at: time)
        case "run-ended":
            // Where nobody says more of the verdict, what the reference would say.
            if run.verdict == "unknown" {
                let isDone = object["status"]?.string == "completed"
                let hasDeviated = object["deviated"]?.bool ?? false
                run.verdict = isDone ? (hasDeviated ? "refuted" : "held") : object["status"]?.string ?? "unknown"
                run.isSuccess = isDone && !hasDeviated
            }
        case "aborted": run.reasons.append(object["reason"]?.string ?? "something unexpected ended the method")
        case "verdict": readVerdict(object)
        default: break
        }
    }

    // MARK: The landscape

    private mutating func readLandscape(_ object: Value.Object, at time: Double) {
        hasRun = true
        origin = time - (object["at"]?.number ?? 0)
        let services = object["services"]?.array ?? []
        run.landscape = RunRecord.Landscape(
            flats: object["flats"]?.integer ?? 0, names: (object["named_flats"]?.array ?? []).compactMap(\.string),
            profile: object["profile"]?.string ?? "", interval: object["interval"]?.number ?? 0,
            keepsReadings: object["keeps_readings"]?.bool ?? false, warmUp: object["warm_up"]?.number ?? 0,
            services: services.compactMap { $0["name"]?.string },
            secondsPerSample: object["seconds_per_sample"]?.integer ?? 1)
        run.bound = RunRecord.Bound(object["bound"])
        run.seed = Self.digits(object["seed"])
        for service in run.landscape?.services ?? [] where !run.processes.contains(where: { $0.name == service }) {
            run.processes.append(RunRecord.Process(name: service))
        }
        let order = run.landscape?.services ?? []
        run.processes.sort { (order.firstIndex(of: $0.name) ?? .max) < (order.firstIndex(of: $1.name) ?? .max) }
    }

    private static func digits(_ value: Value?) -> String? {
        switch value {
        case .integer(let seed)?: String(seed)
        case .largeInteger(let digits)?, .string(let digits)?: digits
        default: nil
        }
    }

    private mutating func readTestbed(_ name: String, _ details: Value.Object) {
        let time = details["time"]?.number ?? 0
        let process = details["process"]?.string ?? ""
        func changed(_ state: RunRecord.Process.State, _ reason: String) -> RunRecord.Process.Change {
            RunRecord.Process.Change(time: time, state: state, reason: reason)
        }
        switch name {
        case "process-started":
            let boot = details["boot"]?.integer ?? 1
            add(changed(.up, boot == 1 ? "starts" : "starts again (\(boot))"), to: process)
        case "process-failed": add(changed(.down, "fails: \(details["reason"]?.string ?? "")"), to: process)
        case "process-crashed":
            add(changed(.down, details["power"]?.bool == true ? "loses power" : "is killed"), to: process)
        case "process-paused": add(changed(.paused, "is paused"), to: process)
        case "process-resumed": add(changed(.up, "goes on"), to: process)
        case "invariant-violated": run.violations.append(RunRecord.Violation(details))
        default: break
        }
        hasRun = true
        run.end = max(run.end, time)
    }

    private mutating func add(_ change: RunRecord.Process.Change, to name: String) {
        if let place = run.processes.firstIndex(where: { $0.name == name }) {
            run.processes[place].changes.append(change)
        } else {
            run.processes.append(RunRecord.Process(name: name, changes: [change]))
        }
    }

    // MARK: The experiment

    private mutating func readTest(_ object: Value.Object, at time: Double) {
        let isMet = object["met"]?.bool ?? false
        let probe = (object["probes"]?.array ?? []).first { $0["tolerance_met"]?.bool != true }?["name"]?.string
        let test = RunRecord.Test(
            phase: object["phase"]?.string ?? "", time: time, isMet: isMet, probe: isMet ? nil : probe)
        guard object["iteration"]?.integer != nil else { return run.tests.append(test) }
        if run.turns.last?.isMet ?? true != isMet { run.turns.append(test) }
    }

    private mutating func readActivity(_ object: Value.Object, at time: Double) {
        guard let phase = object["phase"]?.string, phase == "method" || phase == "rollbacks" else { return }
        run.activities.append(
            RunRecord.Activity(
                name: object["name"]?.string ?? "", kind: object["type"]?.string ?? "", phase: phase,
                time: begun[object["pointer"]?.string ?? ""] ?? time, status: object["status"]?.string ?? "ended",
                failure: object["failure"]?.string))
    }

    private mutating func readVerdict(_ object: Value.Object) {
        hasRun = true
        run.verdict = object["verdict"]?.string ?? run.verdict
        run.isSuccess = object["success"]?.bool ?? run.isSuccess
        run.reasons = (object["reasons"]?.array ?? []).compactMap(\.string)
        run.replay = (object["replay"]?.array ?? []).compactMap(\.string)
        run.seed = Self.digits(object["seed"]) ?? run.seed
        run.digest = object["digest"]?.string
        run.end = object["virtual"]?.number ?? run.end
        if run.title.isEmpty { run.title = object["title"]?.string ?? "Untitled" }
        if let bound = object["bound"], var known = run.bound ?? RunRecord.Bound(bound) {
            known.over = bound["exceeded"]?.integer ?? 0
            known.watched = bound["watched"]?.integer ?? 0
            run.bound = known
        }
        run.ages = (object["ages"]?.object ?? [:]).map { member in
            RunRecord.Age(
                name: member.key, max: member.value["max"]?.number ?? 0, p95: member.value["p95"]?.number ?? 0)
        }
        run.invariants = (object["invariants"]?.array ?? []).compactMap(\.string)
        run.problems = (object["problems"]?.array ?? []).compactMap(\.string)
        run.faults = (object["faults"]?.array ?? []).compactMap { $0.object.map(RunRecord.Fault.init) }
        if run.violations.isEmpty {
            run.violations = (object["violations"]?.array ?? []).compactMap { $0.object.map(RunRecord.Violation.init) }
        }
    }
}

/// A moment as event files have it.
enum Moment {
    /// Seconds since 1970 of a moment in ISO 8601 and UTC; nil for something else.
    static func seconds(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 19 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month)
        else { return nil }
        var fraction = 0.0
        if bytes.count > 19, bytes[19] == UInt8(ascii: ".") {
            var scale = 0.1
            for byte in bytes[20...] {
                guard (48...57).contains(byte) else { break }
                fraction += Double(byte - 48) * scale
                scale /= 10
            }
        }
        return Double(days(year, month, day)) * 86_400 + Double(hour * 3600 + minute * 60 + second) + fraction
    }

    /// Days from 1970-01-01 to a day of the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
