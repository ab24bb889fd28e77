/// What every service was doing: whether it ran, what waited in it, whether breakers were open.
public enum ServiceCharts {
    private static let laneHeight: Double = 36

    /// Draws the lives of processes; nil where there are none.
    public static func lives(of run: RunRecord) -> Chart? {
        guard !run.processes.isEmpty, run.end > 0 else { return nil }
        let axis = TimeAxis(to: run.end)
        let height = laneHeight * Double(run.processes.count)
        var drawing = Drawing()
        axis.shade(run.faults, height: height, numbered: false, in: &drawing)
        for (number, process) in run.processes.enumerated() {
            let top = laneHeight * Double(number)
            drawing.label(0, top + 14, process.name, "lane", anchor: .start)
            let down = process.changes.count { $0.state == .down }
            if down > 0 {
                drawing.label(1, top + 14, "down \(PageText.plural(down, "time"))", "tick", anchor: .end)
            }
            let changes = process.changes
            for (index, change) in changes.enumerated() {
                let end = index + 1 < changes.count ? changes[index + 1].time : run.end
                // Two changes at one moment: the second one counts.
                guard end > change.time || index + 1 == changes.count else { continue }
                drawing.box(
                    from: axis.share(change.time), to: axis.share(end), top: top + 20, height: 11,
                    change.state.rawValue,
                    title: "\(process.name) \(change.reason) at \(PageText.seconds(change.time))")
            }
        }
        axis.draw(height: height, in: &drawing)
        return Chart(
            title: "What every service was doing", unit: "services over time in \(axis.unit)",
            legend: [
                .init(style: "up", text: "up"), .init(style: "down", text: "down"),
                .init(style: "paused", text: "paused"), .init(style: "fault", text: "a fault acts"),
            ], height: Int(height) + Chart.axisHeight, gutter: Chart.emptyGutter, plot: drawing.text)
    }

    /// Draws what waited in the outbox and in the broker; nil where nothing is kept.
    public static func queues(of run: RunRecord) -> Chart? {
        guard run.samples.contains(where: { $0.outbox != nil }) else { return nil }
        return counts(
            of: run, title: "Readings on their way", unit: "readings",
            [
                ("bold", "in the poller, not yet sent", { $0.outbox.map(Double.init) }),
                ("second", "in the broker, not yet stored (lag)", { $0.lag.map(Double.init) }),
            ])
    }

    /// Draws how many breakers were open; nil where none ever was.
    public static func breakers(of run: RunRecord) -> Chart? {
        guard run.samples.contains(where: { $0.open > 0 }) else { return nil }
        return counts(
            of: run, title: "Open breakers", unit: "flats", [("bold", "breakers open", { Double($0.open) })])
    }

    private static func counts(
        of run: RunRecord, title: String, unit: String,
        _ lines: [(style: String, text: String, value: (RunRecord.Sample) -> Double?)]
    ) -> Chart {
        let height = 110.0
        let axis = TimeAxis(to: max(run.end, run.samples.last?.time ?? 0))
        let data = lines.map { line in LineData(run.samples.map { ($0.time, line.value($0)) }) }
        let largest = data.flatMap { $0.points.compactMap(\.value) }.max() ?? 0
        let scale = Scale(0, Scale.roundUp(max(largest, 1)))
        var (drawing, gutter) = (Drawing(), Drawing())
        axis.shade(run.faults, height: height, numbered: true, in: &drawing)
        for tick in scale.ticks(about: 3) where tick == tick.rounded() {
            let y = scale.height(tick, in: height)
            drawing.line(0, y, 1, y, "grid")
            gutter.gutterLabel(min(height, max(10, y + 4)), PageText.count(Int(tick)))
        }
        axis.draw(height: height, in: &drawing)
        drawing.paths(
            height: height,
            zip(lines, data).reversed().map { line, data in
                (data.steps(axis) { scale.height($0, in: height) }, "line \(line.style)")
            })
        return Chart(
            title: title, unit: "\(unit) over time in \(axis.unit)",
            legend: lines.map { .init(style: $0.style, text: $0.text) } + [.init(style: "fault", text: "a fault acts")],
            height: Int(height) + Chart.axisHeight, gutter: gutter.text, plot: drawing.text)
    }
}
