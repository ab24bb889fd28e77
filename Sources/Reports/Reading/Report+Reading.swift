import Documents

extension Report {
    /// Makes a report of the lines of an events file.
    ///
    /// - Parameter lines: A JSON object on each; empty lines are passed over.
    /// - Throws: ``ReportError``.
    public init(lines: [UInt8]) throws(ReportError) {
        var reader = ReportReader()
        var number = 0
        for line in lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard !line.isEmpty else { continue }
            let value: Value
            do throws(DocumentError) {
                value = try JSONReader.read(line)
            } catch {
                throw .noEvent(line: number, "\(error)")
            }
            guard let object = value.object, let event = object["event"]?.string else {
                throw .noEvent(line: number, "it has no member 'event'")
            }
            reader.read(event, object)
        }
        guard let report = reader.report else { throw .nothing }
        self = report
    }
}

/// Tells the parts of a sweep and of a comparison apart, and gives each run's events to a reader of its own.
private struct ReportReader {
    private var run: RunReader?
    private var sweep: SweepRecord?
    private var comparison: ComparisonRecord?
    private var row: (scenario: String, profile: String)?

    mutating func read(_ event: String, _ object: Value.Object) {
        switch event {
        case "sweep-begins":
            var record = SweepRecord()
            record.title = object["title"]?.string ?? ""
            record.count = object["seeds"]?.integer ?? 0
            record.bound = RunRecord.Bound(object["bound"])
            sweep = record
        case "seed" where sweep != nil:
            let bound = sweep?.bound
            sweep?.seeds.append(SweepRecord.Seed(object, bound: bound))
        case "sweep-ended":
            finishRun()
            sweep?.verdict = object["verdict"]?.string ?? "unknown"
            sweep?.replay = (object["replay"]?.array ?? []).compactMap(\.string)
        case "comparison-begins":
            comparison = ComparisonRecord(replay: (object["command"]?.array ?? []).compactMap(\.string))
        case "row":
            row = (object["scenario"]?.string ?? "", object["profile"]?.string ?? "")
            finishRun()
        default:
            if run == nil { run = RunReader() }
            run?.read(event, object)
        }
    }

    private mutating func finishRun() {
        guard let record = run?.record else { return }
        run = nil
        if let row {
            comparison?.rows.append(
                ComparisonRecord.Row(scenario: row.scenario, profile: row.profile, run: record))
        } else {
            sweep?.worst = record
        }
        row = nil
    }

    var report: Report? {
        var whole = self
        if sweep != nil || comparison != nil { whole.finishRun() }
        if let comparison = whole.comparison { return .comparison(comparison) }
        if let sweep = whole.sweep { return .sweep(sweep) }
        return whole.run?.record.map(Report.run)
    }
}

extension SweepRecord.Seed {
    fileprivate init(_ object: Value.Object, bound: RunRecord.Bound?) {
        let violations = object["violations"]?.array ?? []
        let first = violations.first
        let number: String =
            switch object["seed"] {
            case .integer(let seed)?: String(seed)
            case .largeInteger(let digits)?, .string(let digits)?: digits
            default: "?"
            }
        self.init(
            number: number, verdict: object["verdict"]?.string ?? "unknown",
            isSuccess: object["success"]?.bool ?? false,
            age: bound.flatMap { object["ages"]?[$0.age]?["max"]?.number },
            problem: object["problem"]?.string
                ?? first.map { "\($0["invariant"]?.string ?? ""): \($0["message"]?.string ?? "")" },
            problemTime: first?["time"]?.number,
            violations: object["violation_count"]?.integer ?? violations.count)
    }
}
