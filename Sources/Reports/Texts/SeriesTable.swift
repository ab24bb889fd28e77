/// What was measured, as a table that spreadsheets and scripts read: cells separated by commas (RFC 4180).
public enum SeriesTable {
    /// The columns of a run's samples.
    public static let columns: [String] = [
        "time_s", "global_last_success_age_s", "per_flat_last_success_age_s", "per_flat_data_age_s",
        "requests_succeeded", "requests_failed", "latency_median_ms", "latency_p95_ms", "latency_max_ms",
        "flats_fetched", "flats_failing", "flats_breaker_open", "flats_beyond_bound", "breakers_open",
        "outbox_readings", "broker_lag_records",
    ]

    /// The columns of a sweep's seeds.
    public static let seedColumns: [String] = [
        "seed", "verdict", "success", "worst_age_s", "violations", "first_violation_s", "first_problem",
    ]

    /// The table: of a run its samples, of a comparison those of all rows, of a sweep its seeds.
    public static func text(_ report: Report) -> String {
        var lines: [[String]]
        switch report {
        case .run(let run): lines = [columns] + run.samples.map(cells)
        case .sweep(let sweep): lines = [seedColumns] + sweep.seeds.map(cells)
        case .comparison(let comparison):
            lines = [["scenario", "profile"] + columns]
            for row in comparison.rows { lines += row.run.samples.map { [row.scenario, row.profile] + cells($0) } }
        }
        return lines.map { $0.map(cell).joined(separator: ",") }.joined(separator: "\r\n") + "\r\n"
    }

    private static func cells(_ sample: RunRecord.Sample) -> [String] {
        func number(_ numbers: [Double]?, _ index: Int) -> String {
            guard let numbers, numbers.count > index else { return "" }
            return PageText.short(numbers[index], 3)
        }
        func count(_ index: Int) -> String { sample.counts.count > index ? String(sample.counts[index]) : "" }
        return [PageText.short(sample.time, 3)] + (0..<3).map { number(sample.ages, $0) }
            + [String(sample.succeeded), String(sample.failed)] + (0..<3).map { number(sample.latency, $0) }
            + (0..<4).map(count)
            + [String(sample.open), sample.outbox.map(String.init) ?? "", sample.lag.map(String.init) ?? ""]
    }

    private static func cells(_ seed: SweepRecord.Seed) -> [String] {
        [
            seed.number, seed.verdict, String(seed.isSuccess), seed.age.map { PageText.short($0, 3) } ?? "",
            String(seed.violations), seed.problemTime.map { PageText.short($0, 3) } ?? "", seed.problem ?? "",
        ]
    }

    private static func cell(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}
