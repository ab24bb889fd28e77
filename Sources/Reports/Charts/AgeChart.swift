/// How old what the poller knew was, against the bound, while faults acted.
public enum AgeChart {
    /// How many times as large as the age that is bound another may be in its chart.
    private static let farAbove: Double = 3

    /// The ages in the order in which samples have them.
    public static let names: [String] = ["global-last-success", "per-flat-last-success", "per-flat-data"]

    /// What people call an age.
    public static func words(_ name: String) -> String {
        switch name {
        case "global-last-success": "since anything was fetched"
        case "per-flat-last-success": "since the oldest flat was fetched"
        case "per-flat-data": "since the oldest flat measured"
        default: name
        }
    }

    /// Draws a run's ages; nil where nothing was sampled.
    ///
    /// - Parameters:
    ///   - run: The run.
    ///   - largest: The value at the top, in seconds; nil fits the run. Charts side by side share one.
    ///   - title: The title.
    ///   - onlyBound: Whether only the age that is bound is drawn.
    /// - Returns: The chart.
    public static func chart(
        of run: RunRecord, largest: Double? = nil, title: String? = nil, onlyBound: Bool = false
    ) -> Chart? {
        guard !run.samples.isEmpty else { return nil }
        let height = onlyBound ? 130.0 : 230.0
        let axis = TimeAxis(to: max(run.end, run.samples.last?.time ?? 0))
        let bound = run.bound
        let shown = bound?.age ?? names[1]
        let focus = top(of: run, names: [shown])
        // What is far above would press what is bound to the ground.
        let drawn = names.filter { name in
            name == shown || (!onlyBound && top(of: run, names: [name]) <= focus * farAbove)
        }
        let scale = Scale(0, largest ?? top(of: run, names: drawn))
        var (drawing, gutter) = (Drawing(), Drawing())
        axis.shade(run.faults, height: height, numbered: !onlyBound, in: &drawing)
        for tick in scale.ticks(about: onlyBound ? 3 : 5) {
            let y = scale.height(tick, in: height)
            drawing.line(0, y, 1, y, "grid")
            gutter.gutterLabel(min(height, max(10, y + 4)), PageText.short(tick))
        }
        axis.draw(height: height, in: &drawing)
        let place = { scale.height($0, in: height) }
        var paths: [(String, String)] = []
        var legend: [Chart.LegendEntry] = []
        for (index, name) in names.enumerated() where drawn.contains(name) {
            let line = LineData(run.samples.map { ($0.time, $0.ages.count > index ? $0.ages[index] : nil) })
            if name == shown, let bound {
                paths.insert((line.excess(above: bound.seconds, axis, place), "excess"), at: 0)
            }
            let style = name == shown ? "bold" : index == 0 ? "second" : "third"
            paths.append((line.path(axis, place), "line \(style)"))
            legend.append(Chart.LegendEntry(style: style, text: words(name)))
        }
        drawing.paths(height: height, paths)
        if let bound {
            let y = place(bound.seconds)
            drawing.line(0, y, 1, y, "bound")
            drawing.label(0.995, max(11, y - 5), "bound \(PageText.short(bound.seconds)) s", "boundtext", anchor: .end)
            legend.append(Chart.LegendEntry(style: "bound", text: "bound, \(bound.binds ? "binding" : "told only")"))
            legend.append(Chart.LegendEntry(style: "excess", text: "beyond the bound"))
        }
        if !run.faults.isEmpty {
            legend.append(Chart.LegendEntry(style: "fault", text: "a fault acts"))
        }
        let first = run.violations.first
        if let first {
            let x = axis.share(first.time)
            drawing.line(x, 0, x, height, "violation")
            legend.append(Chart.LegendEntry(style: "violation", text: "first violation"))
        }
        return Chart(
            title: title ?? "Ages against the bound", unit: "age in s over time in \(axis.unit)",
            legend: legend, height: Int(height) + Chart.axisHeight, gutter: gutter.text,
            plot: drawing.text, note: onlyBound ? nil : note(of: run, leavingOut: names.filter { !drawn.contains($0) }))
    }

    private static func note(of run: RunRecord, leavingOut others: [String]) -> String? {
        var parts = others.compactMap { name in
            run.ages.first { $0.name == name }.map {
                "The age \(words(name)) is left out: it goes up to \(PageText.seconds($0.max))."
            }
        }
        if let warmUp = run.landscape?.warmUp, warmUp > 0 {
            parts.append("Ages are sampled from \(PageText.seconds(warmUp)) on, when the landscape has warmed up.")
        }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    /// The value at the top of a run's chart: what was seen of some ages, and the bound with room above it.
    public static func top(of run: RunRecord, names chosen: [String]) -> Double {
        let seen =
            run.samples.flatMap { sample in
                zip(names, sample.ages).filter { chosen.contains($0.0) }.map(\.1)
            }.max() ?? 0
        return Scale.roundUp(max(seen, (run.bound?.seconds ?? 0) * 1.2, 1))
    }
}
