/// How seeds are distributed over what they came to.
public enum SweepChart {
    private static let binsMax: Int = 40

    /// What a verdict's colour is.
    public static func style(_ verdict: String) -> String {
        switch verdict {
        case "held", "untested": "good"
        case "refuted": "bad"
        case "inconclusive", "unsteady": "unsure"
        default: "broken"
        }
    }

    /// Draws how many seeds had which worst age; nil where no age was measured.
    public static func ages(of sweep: SweepRecord) -> Chart? {
        let known = sweep.seeds.compactMap { seed in seed.age.map { (seed, $0) } }
        guard !known.isEmpty, let bound = sweep.bound else { return nil }
        let largest = Scale.roundUp(max(known.map(\.1).max() ?? 1, bound.seconds * 1.1))
        let scale = Scale(0, largest)
        let width = largest / Double(binsMax)
        var bins = Array(repeating: [String: Int](), count: binsMax)
        for (seed, age) in known { bins[min(binsMax - 1, Int(age / width))][style(seed.verdict), default: 0] += 1 }
        let styles = ["good", "unsure", "broken", "bad"]
        let top = Scale(0, Scale.roundUp(Double(bins.map { $0.values.reduce(0, +) }.max() ?? 1)))
        let height = 180.0
        var (drawing, gutter) = (Drawing(), Drawing())
        for tick in top.ticks(about: 4) where tick == tick.rounded() {
            let y = top.height(tick, in: height)
            drawing.line(0, y, 1, y, "grid")
            gutter.gutterLabel(min(height, max(10, y + 4)), PageText.count(Int(tick)))
        }
        for (number, bin) in bins.enumerated() {
            let (from, to) = (Double(number) / Double(binsMax), Double(number + 1) / Double(binsMax))
            var y = height
            for style in styles {
                guard let count = bin[style], count > 0 else { continue }
                let part = max(2, height * top.share(Double(count)))
                y -= part
                drawing.box(
                    from: from + 0.001, to: to - 0.001, top: y, height: part, style,
                    title:
                        "\(PageText.plural(count, "seed")) with \(PageText.short(Double(number) * width))–\(PageText.short(Double(number + 1) * width)) s"
                )
            }
        }
        for tick in scale.ticks(about: 6) {
            let x = scale.share(tick)
            drawing.label(
                x, height + 15, PageText.short(tick), anchor: x < 0.03 ? .start : x > 0.97 ? .end : .middle)
        }
        drawing.line(0, height, 1, height, "axis")
        let x = scale.share(bound.seconds)
        drawing.line(x, 0, x, height, "bound")
        drawing.label(x + 0.005, 11, "bound \(PageText.short(bound.seconds)) s", "boundtext", anchor: .start)
        if let worst = sweep.worst?.seed, let age = known.first(where: { $0.0.number == worst })?.1 {
            let place = scale.share(min(age, largest))
            drawing.append("<a href=\"#worst\">")
            drawing.line(place, 0, place, height, "violation")
            drawing.label(
                place > 0.8 ? place - 0.005 : place + 0.005, 26, "seed \(worst)", "momenttext",
                anchor: place > 0.8 ? .end : .start)
            drawing.append("</a>")
        }
        let present = Set(sweep.seeds.map { style($0.verdict) })
        let words = ["good": "held", "unsure": "inconclusive", "broken": "crashed or stopped", "bad": "refuted"]
        return Chart(
            title: "Worst age of each seed", unit: "seeds over the largest \(bound.age) age in s",
            legend: styles.filter { present.contains($0) }.map { .init(style: $0, text: words[$0] ?? $0) }
                + [
                    .init(style: "bound", text: "bound"),
                    .init(style: "violation", text: "the worst seed, shown below"),
                ],
            height: Int(height) + Chart.axisHeight, gutter: gutter.text, plot: drawing.text)
    }

    /// Draws every seed as a piece of a strip, in their order.
    public static func strip(of sweep: SweepRecord) -> Chart? {
        guard sweep.seeds.count > 1 else { return nil }
        var drawing = Drawing()
        // One box for each run of seeds with one verdict.
        let count = Double(sweep.seeds.count)
        var start = 0
        for index in 1...sweep.seeds.count {
            let isEnd = index == sweep.seeds.count
            let verdict = sweep.seeds[start].verdict
            if !isEnd, sweep.seeds[index].verdict == verdict { continue }
            let (first, last) = (sweep.seeds[start].number, sweep.seeds[index - 1].number)
            drawing.box(
                from: Double(start) / count, to: Double(index) / count, top: 0, height: 24, style(verdict),
                title: "\(first == last ? "seed \(first)" : "seeds \(first) to \(last)"): \(verdict)")
            start = index
        }
        drawing.label(0, 40, sweep.seeds.first?.number ?? "", anchor: .start)
        drawing.label(1, 40, sweep.seeds.last?.number ?? "", anchor: .end)
        let present = sweep.verdicts
        return Chart(
            title: "Verdicts in the order of the seeds", unit: "seeds",
            legend: present.map { .init(style: style($0.verdict), text: "\($0.verdict) \(PageText.count($0.count))") },
            height: 46, gutter: "", plot: drawing.text)
    }
}
