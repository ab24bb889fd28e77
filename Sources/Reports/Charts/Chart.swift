/// A picture of something that was measured: its drawing, and what people need to read it.
///
/// It is as wide as its page: places from left to right are shares of the width, heights are pixels, so that texts keep their size on every screen. Labels of the
/// vertical axis stand in a gutter beside it.
public struct Chart: Hashable, Sendable {
    /// What a colour or a stroke stands for.
    public struct LegendEntry: Hashable, Sendable {
        /// The name of its style in the page's style sheet.
        public let style: String
        /// What it stands for.
        public let text: String
    }

    /// What is shown.
    public let title: String
    /// The units of both axes.
    public let unit: String
    /// What colours stand for.
    public let legend: [LegendEntry]
    /// The height in pixels, with the axis.
    public let height: Int
    /// What stands beside the drawing: SVG elements.
    public let gutter: String
    /// The drawing: SVG elements.
    public let plot: String
    /// What else there is to be known.
    public let note: String?

    init(
        title: String, unit: String, legend: [LegendEntry], height: Int, gutter: String, plot: String,
        note: String? = nil
    ) {
        self.title = title
        self.unit = unit
        self.legend = legend
        self.height = height
        self.gutter = gutter
        self.plot = plot
        self.note = note
    }

    /// The room for the labels of the horizontal axis, in pixels.
    static let axisHeight: Int = 22
    /// A gutter without labels, so that charts under each other have one axis of time.
    static let emptyGutter: String = " "
    /// The width of the gutter, in pixels.
    public static let gutterWidth: Int = 46
}

/// Elements of SVG, as text.
struct Drawing {
    private(set) var text: String = ""

    /// A share of the width.
    static func percent(_ share: Double) -> String { "\(PageText.short(share * 100, 2))%" }

    /// A height.
    static func pixels(_ y: Double) -> String { PageText.short(y, 1) }

    mutating func append(_ other: String) { text += other }

    /// A rectangle from one share of the width to another, at least a hair wide.
    mutating func box(
        from: Double, to: Double, top: Double, height: Double, _ style: String, title: String? = nil
    ) {
        let width = max(to - from, 0.0008)
        text +=
            "<rect class=\"\(style)\" x=\"\(Self.percent(from))\" width=\"\(Self.percent(width))\" y=\"\(Self.pixels(top))\" height=\"\(Self.pixels(height))\""
        text += title.map { "><title>\(PageText.escaped($0))</title></rect>" } ?? "/>"
    }

    /// A straight line.
    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
        text +=
            "<line class=\"\(style)\" x1=\"\(Self.percent(x1))\" y1=\"\(Self.pixels(y1))\" x2=\"\(Self.percent(x2))\" y2=\"\(Self.pixels(y2))\"/>"
    }

    /// Where a text's place is.
    enum Anchor: String {
        case start
        case middle
        case end
    }

    /// A text.
    mutating func label(_ x: Double, _ y: Double, _ label: String, _ style: String = "tick", anchor: Anchor = .middle) {
        let place = anchor == .middle ? "" : " text-anchor=\"\(anchor.rawValue)\""
        text +=
            "<text class=\"\(style)\" x=\"\(Self.percent(x))\" y=\"\(Self.pixels(y))\"\(place)>\(PageText.escaped(label))</text>"
    }

    /// A text in the gutter, which ends before the drawing begins.
    mutating func gutterLabel(_ y: Double, _ label: String, _ style: String = "tick") {
        text +=
            "<text class=\"\(style)\" x=\"\(Chart.gutterWidth - 6)\" y=\"\(Self.pixels(y))\" text-anchor=\"end\">\(PageText.escaped(label))</text>"
    }

    /// Paths in a box of their own, a thousand wide and as high as it is.
    mutating func paths(height: Double, _ paths: [(data: String, style: String)]) {
        let drawn = paths.filter { !$0.data.isEmpty }
        guard !drawn.isEmpty else { return }
        text +=
            "<svg width=\"100%\" height=\"\(Self.pixels(height))\" viewBox=\"0 0 1000 \(Self.pixels(height))\" preserveAspectRatio=\"none\">"
        for path in drawn { text += "<path class=\"\(path.style)\" d=\"\(path.data)\"/>" }
        text += "</svg>"
    }
}

/// From values to places.
struct Scale {
    /// The values at both ends.
    let from: Double
    let to: Double

    init(_ from: Double, _ to: Double) {
        self.from = from
        self.to = to > from ? to : from + 1
    }

    /// The share of the way to the end; between 0 and 1.
    func share(_ value: Double) -> Double { min(1, max(0, (value - from) / (to - from))) }

    /// The place of a value from top to bottom: the largest at the top.
    func height(_ value: Double, in height: Double) -> Double { height * (1 - share(value)) }

    /// About so many round values within it.
    func ticks(about count: Int, steps: [Double] = [1, 2, 5]) -> [Double] {
        let span = to - from
        guard span.isFinite, span > 0 else { return [from] }
        var unit = 1.0
        while unit > span { unit /= 10 }
        while unit * 10 <= span { unit *= 10 }
        unit /= 10
        var step = unit
        search: for power in 0..<3 {
            for factor in steps {
                step = unit * factor
                for _ in 0..<power { step *= 10 }
                if span / step <= Double(count) { break search }
            }
        }
        return multiples(of: step)
    }

    /// The multiples of a step within it.
    func multiples(of step: Double) -> [Double] {
        let first = (from / step).rounded(.up)
        let last = (to / step + 1e-9).rounded(.down)
        guard first <= last, last - first < 1000 else { return [from] }
        return (0...Int(last - first)).map { (first + Double($0)) * step }
    }

    /// The smallest round value that is not below another.
    static func roundUp(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        var unit = 1.0
        while unit >= value { unit /= 10 }
        while unit * 10 < value { unit *= 10 }
        return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map { $0 * unit }.first { $0 >= value - 1e-9 } ?? value
    }
}
