/// What became of all readings.
public enum LedgerChart {
    /// A class of readings as it is shown.
    public struct Row: Hashable, Sendable {
        /// The style of its colour.
        public let style: String
        /// What it is called.
        public let name: String
        /// What that means.
        public let meaning: String
        /// How many readings are in it.
        public let count: Int
    }

    /// The classes that every reading that was read is in one of.
    public static func rows(of ledger: RunRecord.Ledger) -> [Row] {
        func row(_ style: String, _ key: String, _ name: String, _ meaning: String) -> Row {
            Row(style: style, name: name, meaning: meaning, count: ledger.count(key))
        }
        return [
            row("stored", "stored", "stored", "acknowledged, and in the storage"),
            row("inoutbox", "in_outbox", "in the outbox", "acknowledged, on the poller's disk"),
            row("inbroker", "in_broker", "in the broker", "acknowledged, not yet with the storage"),
            row("recovered", "recovered", "recovered", "never acknowledged, and stored nevertheless"),
            row("again", "to_be_read_again", "to be read again", "not acknowledged, still at the server"),
            row("notkept", "not_kept", "not kept", "not acknowledged, no longer at the server"),
            row("lost", "lost", "lost", "acknowledged, and nowhere"),
            row("lost", "unexpected", "unexpected", "stored with another value, or never read"),
        ]
    }

    /// What is counted besides.
    public static func others(of ledger: RunRecord.Ledger) -> String {
        "\(PageText.count(ledger.count("read"))) were read and \(PageText.count(ledger.count("acknowledged"))) acknowledged; "
            + "\(PageText.count(ledger.count("duplicated"))) came to the broker again, "
            + "\(PageText.count(ledger.count("never_seen"))) were replaced at the server before anybody asked."
    }

    /// Draws the classes as parts of a bar.
    public static func chart(of ledger: RunRecord.Ledger) -> Chart? {
        let rows = rows(of: ledger).filter { $0.count > 0 }
        let total = Double(rows.reduce(0) { $0 + $1.count })
        guard total > 0 else { return nil }
        var drawing = Drawing()
        // A class that is there is seen, however small.
        let least = 0.006
        let shares = rows.map { max(least, Double($0.count) / total) }
        let sum = shares.reduce(0, +)
        var from = 0.0
        for (row, share) in zip(rows, shares) {
            let to = from + share / sum
            drawing.box(
                from: from, to: to, top: 2, height: 26, row.style, title: "\(PageText.count(row.count)) \(row.name)")
            from = to
        }
        let ends = [(0.0, "0 %", Drawing.Anchor.start), (0.5, "50 %", .middle), (1, "100 %", .end)]
        for (x, text, anchor) in ends { drawing.label(x, 46, text, anchor: anchor) }
        return Chart(
            title: "What became of the readings", unit: "share of \(PageText.count(Int(total))) readings in %",
            legend: rows.map { .init(style: $0.style, text: "\($0.name) \(PageText.count($0.count))") }, height: 52,
            gutter: "", plot: drawing.text)
    }
}
