/// What state each flat was in over time; of many flats, how many were in each.
public enum FlatChart {
    /// What a state is called, and its style.
    static func words(_ state: RunRecord.FlatState) -> (style: String, text: String) {
        switch state {
        case .fetched: ("fetched", "fetched")
        case .failing: ("failing", "last request failed")
        case .open: ("open", "breaker open")
        case .beyond: ("beyond", "not fetched within the bound")
        }
    }

    private static let legend: [Chart.LegendEntry] = RunRecord.FlatState.allCases.map {
        Chart.LegendEntry(style: words($0).style, text: words($0).text)
    }

    /// Draws a run's flats; nil where nothing was sampled.
    public static func chart(of run: RunRecord) -> Chart? {
        guard let landscape = run.landscape, !run.samples.isEmpty, landscape.flats > 0 else { return nil }
        return run.samples.allSatisfy({ $0.flats.count == landscape.names.count }) && !landscape.names.isEmpty
            && landscape.names.count == landscape.flats
            ? rows(of: run, landscape) : shares(of: run, landscape)
    }

    private static func rows(of run: RunRecord, _ landscape: RunRecord.Landscape) -> Chart {
        let axis = TimeAxis(to: max(run.end, run.samples.last?.time ?? 0))
        let row = landscape.flats <= 24 ? 15.0 : 11.0
        let height = row * Double(landscape.flats)
        var (drawing, gutter) = (Drawing(), Drawing())
        let width = Double(landscape.secondsPerSample)
        let boxes = spans(of: run, flats: landscape.flats, width: width)
        for (number, name) in landscape.names.enumerated() {
            let top = row * Double(number)
            gutter.gutterLabel(top + row / 2 + 4, name)
            let begin = (run.samples.first?.time ?? 0) - width
            drawing.box(
                from: axis.share(begin), to: axis.share(run.samples.last?.time ?? 0), top: top + 1, height: row - 2,
                words(.fetched).style)
            for span in boxes[number] {
                drawing.box(
                    from: axis.share(span.from), to: axis.share(span.to), top: top + 1, height: row - 2,
                    words(span.state).style,
                    title:
                        "\(name), \(PageText.short(span.from))–\(PageText.short(span.to)) s: \(words(span.state).text)")
            }
        }
        axis.draw(height: height, in: &drawing)
        return Chart(
            title: "State of each flat", unit: "flats over time in \(axis.unit)", legend: legend,
            height: Int(height) + Chart.axisHeight, gutter: gutter.text, plot: drawing.text)
    }

    /// A time for which a flat was in a state.
    private struct StateSpan {
        let from: Double
        var to: Double
        let state: RunRecord.FlatState
    }

    /// Boxes that are drawn at most, about.
    private static let boxesMax: Int = 1200

    /// When each flat was in another state than fetched; of times too short to be drawn, the worst state of neighbours.
    private static func spans(of run: RunRecord, flats: Int, width: Double) -> [[StateSpan]] {
        var group = 1
        while true {
            let found = (0..<flats).map { spans(of: run, flat: $0, width: width, group: group) }
            if found.reduce(0, { $0 + $1.count }) <= boxesMax || group >= run.samples.count { return found }
            group *= 2
        }
    }

    private static func spans(of run: RunRecord, flat: Int, width: Double, group: Int) -> [StateSpan] {
        var spans: [StateSpan] = []
        for start in stride(from: 0, to: run.samples.count, by: group) {
            let piece = run.samples[start..<min(start + group, run.samples.count)]
            let state = piece.map { $0.flats[flat] }.max { $0.rawValue < $1.rawValue } ?? .fetched
            guard state != .fetched, let first = piece.first, let last = piece.last else { continue }
            let from = first.time - width
            if let open = spans.last, open.state == state, open.to >= from - width / 2 {
                spans[spans.count - 1].to = last.time
            } else {
                spans.append(StateSpan(from: from, to: last.time, state: state))
            }
        }
        return spans
    }

    /// Pieces of time that are drawn at most.
    private static let piecesMax: Int = 160

    private static func shares(of run: RunRecord, _ landscape: RunRecord.Landscape) -> Chart {
        let axis = TimeAxis(to: max(run.end, run.samples.last?.time ?? 0))
        let height = 160.0
        let scale = Scale(0, Double(landscape.flats))
        var (drawing, gutter) = (Drawing(), Drawing())
        let size = max(1, (run.samples.count + piecesMax - 1) / piecesMax)
        let width = Double(landscape.secondsPerSample)
        for start in stride(from: 0, to: run.samples.count, by: size) {
            let piece = run.samples[start..<min(start + size, run.samples.count)]
            guard let first = piece.first, let last = piece.last else { continue }
            let (from, to) = (axis.share(first.time - width), axis.share(last.time))
            // Of each state the largest count; what is left over was fetched all the time.
            var top = 0.0
            for state in RunRecord.FlatState.allCases.reversed() where state != .fetched {
                let count = piece.map { $0.counts.count > state.rawValue ? $0.counts[state.rawValue] : 0 }.max() ?? 0
                guard count > 0 else { continue }
                let share = height * scale.share(Double(count))
                drawing.box(from: from, to: to, top: top, height: min(share, height - top), words(state).style)
                top = min(height, top + share)
            }
            drawing.box(from: from, to: to, top: top, height: height - top, words(.fetched).style)
        }
        for tick in scale.ticks(about: 4) {
            let y = scale.height(tick, in: height)
            gutter.gutterLabel(min(height, max(10, y + 4)), PageText.count(Int(tick)))
        }
        axis.draw(height: height, in: &drawing)
        return Chart(
            title: "States of \(PageText.count(landscape.flats)) flats", unit: "flats over time in \(axis.unit)",
            legend: legend, height: Int(height) + Chart.axisHeight, gutter: gutter.text, plot: drawing.text,
            note: "The worst states are at the top; each column shows the largest number that was in a state within it."
        )
    }
}
