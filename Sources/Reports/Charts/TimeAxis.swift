/// The horizontal axis of a run: time since it began, in a unit that suits its length.
struct TimeAxis {
    /// The times at both ends, in seconds.
    let scale: Scale
    /// The unit's name, and its seconds.
    let unit: String
    private let seconds: Double

    /// Labels at most: as many as a phone has room for.
    private static let labelsMax: Int = 6

    init(from: Double = 0, to: Double) {
        scale = Scale(from, to)
        switch to - from {
        case ...1200: (unit, seconds) = ("s", 1)
        case ...10_800: (unit, seconds) = ("min", 60)
        case ...172_800: (unit, seconds) = ("h", 3600)
        default: (unit, seconds) = ("days", 86_400)
        }
    }

    /// The share of the width at a time.
    func share(_ time: Double) -> Double { scale.share(time) }

    /// The times that have a label.
    var ticks: [Double] {
        let inUnit = Scale(scale.from / seconds, scale.to / seconds)
        let steps: [Double] = unit == "min" ? [1, 1.5, 2, 3, 5] : unit == "h" ? [1, 1.2, 2.4, 6] : [1, 2, 5]
        return inUnit.ticks(about: Self.labelsMax, steps: steps).map { $0 * seconds }
    }

    /// Draws lines at round times, and their labels below.
    func draw(height: Double, in drawing: inout Drawing) {
        for time in ticks {
            let x = share(time)
            drawing.line(x, 0, x, height, "grid")
            let anchor: Drawing.Anchor = x < 0.03 ? .start : x > 0.97 ? .end : .middle
            drawing.label(x, height + 15, PageText.short(time / seconds, 2), anchor: anchor)
        }
        drawing.line(0, height, 1, height, "axis")
    }

    /// Shades the times at which faults acted, and names them by their numbers.
    func shade(_ faults: [RunRecord.Fault], height: Double, numbered: Bool, in drawing: inout Drawing) {
        var places: [(x: Double, number: Int)] = []
        for (index, fault) in faults.prefix(FaultTable.rowsMax).enumerated() {
            for window in fault.windows {
                let (from, to) = (share(window.from), share(window.to ?? scale.to))
                let style = fault.impact == "missed" ? "fault missed" : "fault"
                drawing.box(
                    from: from, to: to, top: 0, height: height, style,
                    title: "\(index + 1): \(fault.line), \(FaultTable.impact(of: fault))")
                places.append((from, index + 1))
            }
        }
        guard numbered else { return }
        // Numbers of faults that begin together stand behind each other, as far as there is room.
        var next = 0.0
        for (x, number) in places.sorted(by: { ($0.x, $0.number) < ($1.x, $1.number) }) {
            let place = max(x + 0.004, next)
            guard place < 0.97, place - x < 0.2 else { continue }
            drawing.label(place, 12, "\(number)", "mark", anchor: .start)
            next = place + (number < 10 ? 0.025 : 0.04)
        }
    }
}

/// A run's faults as a table has them.
public enum FaultTable {
    /// Faults that are shown.
    public static let rowsMax: Int = 40

    /// A row.
    public struct Row: Hashable, Sendable {
        /// The number by which charts name it.
        public let number: Int
        /// What went wrong.
        public let line: String
        /// When.
        public let time: String
        /// Whom it hit, and how often.
        public let impact: String
        /// Whether it hit nothing.
        public let isMissed: Bool
    }

    /// The rows of a run.
    public static func rows(of run: RunRecord) -> [Row] {
        run.faults.prefix(rowsMax).enumerated().map { index, fault in
            let spans = fault.windows.prefix(4).map { window in
                words(of: window)
            }
            let more = fault.windows.count > 4 ? ", …" : ""
            return Row(
                number: index + 1, line: fault.line, time: spans.joined(separator: ", ") + more,
                impact: impact(of: fault), isMissed: fault.impact == "missed")
        }
    }

    private static func words(of window: RunRecord.Span) -> String {
        let (from, to) = (PageText.short(window.from), window.to.map { PageText.short($0) } ?? "end")
        return from == to ? "\(from) s" : "\(from)–\(to) s"
    }

    static func impact(of fault: RunRecord.Fault) -> String {
        switch fault.impact {
        case "missed": return "hit nothing"
        case "partly":
            let spared = fault.targets.filter { $0.hits == 0 }.map(\.name)
            return "hit \(PageText.plural(fault.hits, "time")), but not \(spared.joined(separator: ", "))"
        default: return "hit \(PageText.plural(fault.hits, "time"))"
        }
    }
}
