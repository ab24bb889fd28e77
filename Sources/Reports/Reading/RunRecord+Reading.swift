import Documents

extension RunRecord.Bound {
    /// Reads a bound; nil if there is none.
    init?(_ value: Value?) {
        guard let value, let age = value["age"]?.string, let seconds = value["seconds"]?.number else { return nil }
        self.init(
            age: age, seconds: seconds, binds: value["binds"]?.bool ?? false, settle: value["settle"]?.number ?? 0)
    }
}

extension RunRecord.Sample {
    /// Reads a sample; nil if it has no time.
    init?(_ object: Value.Object) {
        guard let time = object["at"]?.number else { return nil }
        let requests = (object["requests"]?.array ?? []).compactMap(\.integer)
        let flats = Array((object["flats"]?.string ?? "").utf8).compactMap(RunRecord.FlatState.init)
        let counts =
            flats.isEmpty
            ? (object["states"]?.array ?? []).compactMap(\.integer)
            : RunRecord.FlatState.allCases.map { state in flats.count { $0 == state } }
        self.init(
            time: time, ages: (object["ages"]?.array ?? []).compactMap(\.number), flats: flats, counts: counts,
            succeeded: requests.first ?? 0, failed: requests.count > 1 ? requests[1] : 0,
            latency: object["latency"]?.array.map { $0.compactMap(\.number) }, open: object["open"]?.integer ?? 0,
            outbox: object["outbox"]?.integer, lag: object["lag"]?.integer)
    }
}

extension RunRecord.Latency {
    /// Reads percentiles; nil if there are none.
    init?(_ object: Value.Object) {
        let found = [50, 75, 90, 95, 99, 100].compactMap { percent in
            object["p\(percent)"]?.number.map { Percentile(percent: percent, milliseconds: $0) }
        }
        guard !found.isEmpty else { return nil }
        self.init(requests: object["requests"]?.integer ?? 0, percentiles: found)
    }
}

extension RunRecord.Fault {
    /// Reads an applied fault.
    init(_ object: Value.Object) {
        let (since, until) = (object["since"]?.number ?? 0, object["until"]?.number)
        let windows = (object["windows"]?.array ?? []).compactMap(\.array).compactMap { window -> RunRecord.Span? in
            guard let from = window.first?.number else { return nil }
            let to = window.count > 1 ? window[1].number : nil
            // A schedule that is taken back ends all its windows.
            let end = [to, until].compactMap(\.self).min()
            if let end, end <= from { return nil }
            return RunRecord.Span(from: from, to: end)
        }
        let impact = object["impact"]
        self.init(
            line: Self.readable(object["line"]?.string ?? "a fault"), since: since, until: until,
            windows: windows.isEmpty ? [RunRecord.Span(from: since, to: until)] : windows,
            impact: impact?["verdict"]?.string ?? "missed", hits: impact?["hits"]?.integer ?? 0,
            targets: (impact?["targets"]?.object ?? [:]).map { Target(name: $0.key, hits: $0.value.integer ?? 0) })
    }

    /// A fault's line without what says only how it is written.
    private static func readable(_ line: String) -> String {
        let prefix = "custom name="
        return line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)) : line
    }
}

extension RunRecord.Violation {
    /// Reads a violation.
    init(_ object: Value.Object) {
        self.init(
            invariant: object["invariant"]?.string ?? "", time: object["time"]?.number ?? 0,
            message: object["message"]?.string ?? "", entities: (object["entities"]?.array ?? []).compactMap(\.string),
            history: (object["history"]?.array ?? []).compactMap(\.string))
    }
}

extension RunRecord.Ledger {
    /// Reads what became of the readings.
    init(_ object: Value.Object) {
        let names = [
            "read", "acknowledged", "stored", "in_outbox", "in_broker", "lost", "recovered", "not_kept",
            "to_be_read_again", "duplicated", "unexpected", "never_seen",
        ]
        let told = (object["violations"]?.array ?? []) + (object["unreadable"]?.array ?? [])
        self.init(
            classes: names.map { Class(name: $0, count: object[$0]?.integer ?? 0) },
            told: told.compactMap(\.string))
    }
}

extension RunRecord.Messages {
    /// Reads messages; nil if there are none.
    init?(_ object: Value.Object) {
        let messages = (object["messages"]?.array ?? []).compactMap(\.array).compactMap { parts -> Message? in
            guard parts.count == 6, let connection = parts[0].integer, let source = parts[1].string,
                let target = parts[2].string, let sent = parts[3].number, let label = parts[5].string
            else { return nil }
            return Message(
                connection: connection, source: source, target: target, sent: sent, arrival: parts[4].number,
                label: label)
        }
        guard !messages.isEmpty, let moment = object["at"]?.number else { return nil }
        self.init(
            moment: moment, about: object["about"]?.string ?? "",
            entities: (object["of"]?.array ?? []).compactMap(\.string), messages: messages)
    }
}
