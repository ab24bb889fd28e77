/// How long requests to the measurement server took, and how many failed.
public enum RequestCharts {
    /// Latencies at the bottom and at the top, in ms.
    private static let least: Double = 1

    /// Draws latencies over time, on a logarithmic axis; nil where no request ended.
    public static func latency(of run: RunRecord) -> Chart? {
        let samples = run.samples.map { ($0.time, $0.latency) }
        let largest = samples.compactMap { $0.1?.last }.max() ?? 0
        guard largest > 0 else { return nil }
        let height = 180.0
        let axis = TimeAxis(to: max(run.end, run.samples.last?.time ?? 0))
        var decades = 1
        var top = 10.0
        while top < largest, decades < 9 {
            top *= 10
            decades += 1
        }
        func place(_ value: Double) -> Double {
            height * (1 - Scale(0, Double(decades)).share(log10(max(value, least))))
        }
        var (drawing, gutter) = (Drawing(), Drawing())
        axis.shade(run.faults, height: height, numbered: true, in: &drawing)
        var tick = least
        for _ in 0...decades {
            let y = place(tick)
            drawing.line(0, y, 1, y, "grid")
            gutter.gutterLabel(min(height, max(10, y + 4)), PageText.milliseconds(tick))
            tick *= 10
        }
        axis.draw(height: height, in: &drawing)
        // Where every flat is asked at once, there is nothing between two rounds.
        let gap = (run.landscape?.interval ?? 0) * 1.5
        func line(_ index: Int) -> LineData {
            LineData(samples.map { sample in (sample.0, sample.1.flatMap { $0.count > index ? $0[index] : nil }) })
        }
        drawing.paths(
            height: height,
            [
                (line(2).path(axis, gapMax: gap, place), "line third"),
                (line(1).path(axis, gapMax: gap, place), "line second"),
                (line(0).path(axis, gapMax: gap, place), "line bold"),
            ])
        let note = run.landscape.map { landscape in
            "Each point stands for the requests that ended within \(PageText.plural(landscape.secondsPerSample, "second")); the axis is logarithmic."
        }
        return Chart(
            title: "Latency of requests", unit: "latency over time in \(axis.unit)",
            legend: [
                .init(style: "bold", text: "median"), .init(style: "second", text: "95th percentile"),
                .init(style: "third", text: "longest"), .init(style: "fault", text: "a fault acts"),
            ], height: Int(height) + Chart.axisHeight, gutter: gutter.text, plot: drawing.text, note: note)
    }

    /// Draws how many requests succeeded and failed; nil where none ended.
    public static func counts(of run: RunRecord) -> Chart? {
        let pieces = pieces(of: run)
        let largest = pieces.map { $0.succeeded + $0.failed }.max() ?? 0
        guard largest > 0 else { return nil }
        let height = 180.0
        let axis = TimeAxis(to: max(run.end, run.samples.last?.time ?? 0))
        let scale = Scale(0, Scale.roundUp(Double(largest)))
        var (drawing, gutter) = (Drawing(), Drawing())
        for tick in scale.ticks(about: 4) {
            let y = scale.height(tick, in: height)
            drawing.line(0, y, 1, y, "grid")
            gutter.gutterLabel(min(height, max(10, y + 4)), PageText.short(tick))
        }
        axis.draw(height: height, in: &drawing)
        for piece in pieces {
            let (from, to) = (axis.share(piece.from), axis.share(piece.to))
            let gap = (to - from) * 0.1
            let (good, all) = (Double(piece.succeeded), Double(piece.succeeded + piece.failed))
            let (y, top) = (scale.height(good, in: height), scale.height(all, in: height))
            if piece.succeeded > 0 {
                drawing.box(from: from + gap, to: to - gap, top: y, height: height - y, "good")
            }
            if piece.failed > 0 {
                drawing.box(
                    from: from + gap, to: to - gap, top: top, height: y - top, "bad",
                    title: "\(PageText.plural(piece.failed, "request")) failed")
            }
        }
        let width = pieces.first.map { $0.to - $0.from } ?? 1
        return Chart(
            title: "Requests", unit: "requests in each \(PageText.length(width)) over time in \(axis.unit)",
            legend: [.init(style: "good", text: "succeeded"), .init(style: "bad", text: "failed")],
            height: Int(height) + Chart.axisHeight, gutter: gutter.text, plot: drawing.text)
    }

    /// Bars that are drawn at most.
    private static let barsMax: Int = 80

    private struct Piece {
        let from: Double
        var to: Double
        var succeeded: Int = 0
        var failed: Int = 0
    }

    private static func pieces(of run: RunRecord) -> [Piece] {
        guard let first = run.samples.first, let landscape = run.landscape else { return [] }
        let width = Double(max(1, landscape.secondsPerSample))
        // Whole rounds of the poller, so that none falls between two bars.
        let round = max(1, Int(landscape.interval / width))
        let least = max(1, (run.samples.count + barsMax - 1) / barsMax)
        let size = (least + round - 1) / round * round
        return stride(from: 0, to: run.samples.count, by: size).map { start in
            let samples = run.samples[start..<min(start + size, run.samples.count)]
            var piece = Piece(
                from: (samples.first ?? first).time - width, to: (samples.last ?? first).time)
            for sample in samples {
                piece.succeeded += sample.succeeded
                piece.failed += sample.failed
            }
            return piece
        }
    }

    /// The logarithm to the base of 10, without the C library: by halving what is left.
    static func log10(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 0 }
        var (rest, whole) = (value, 0.0)
        while rest >= 10 { (rest, whole) = (rest / 10, whole + 1) }
        while rest < 1 { (rest, whole) = (rest * 10, whole - 1) }
        var (fraction, share) = (0.0, 0.5)
        for _ in 0..<24 {
            rest *= rest
            if rest >= 10 {
                rest /= 10
                fraction += share
            }
            share /= 2
        }
        return whole + fraction
    }
}
