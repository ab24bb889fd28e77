/// Points of a line over time, few enough to be drawn.
struct LineData {
    /// Points that are drawn at most.
    private static let pointsMax: Int = 480

    /// The largest value of each piece of time; nil where there is none.
    let points: [(time: Double, value: Double?)]

    /// Takes the largest values of neighbours where there are too many.
    init(_ samples: [(time: Double, value: Double?)]) {
        guard samples.count > Self.pointsMax else {
            points = samples
            return
        }
        let size = (samples.count + Self.pointsMax - 1) / Self.pointsMax
        points = stride(from: 0, to: samples.count, by: size).map { start in
            let piece = samples[start..<min(start + size, samples.count)]
            return (piece.last?.time ?? 0, piece.compactMap(\.value).max())
        }
    }

    /// The path of a line in a box a thousand wide.
    ///
    /// - Parameters:
    ///   - axis: The times at both ends.
    ///   - gapMax: The longest time without a value that the line crosses, in seconds; a point between longer ones is a dot.
    ///   - height: The place of a value.
    /// - Returns: The path's data.
    func path(_ axis: TimeAxis, gapMax: Double = 0, _ height: (Double) -> Double) -> String {
        var path = ""
        var last: Double?
        var isDot = false
        var isInterrupted = true
        for point in points {
            guard let value = point.value else {
                isInterrupted = true
                continue
            }
            let place = "\(PageText.short(axis.share(point.time) * 1000, 1)) \(PageText.short(height(value), 1))"
            if let last, !isInterrupted || point.time - last <= gapMax {
                path += "L\(place)"
                isDot = false
            } else {
                if isDot { path += Self.dot }
                path += "M\(place)"
                isDot = true
            }
            last = point.time
            isInterrupted = false
        }
        return isDot ? path + Self.dot : path
    }

    /// A line so short that only its round ends are seen.
    private static let dot: String = "h.01"

    /// The path of a line that keeps a value until the next, as counts do.
    func steps(_ axis: TimeAxis, _ height: (Double) -> Double) -> String {
        var path = ""
        var last: String?
        for point in points {
            guard let value = point.value else { continue }
            let y = PageText.short(height(value), 1)
            let x = PageText.short(axis.share(point.time) * 1000, 1)
            if let last {
                if last != y { path += "H\(x)V\(y)" }
            } else {
                path += "M\(x) \(y)"
            }
            last = y
        }
        if let time = points.last?.time, last != nil { path += "H\(PageText.short(axis.share(time) * 1000, 1))" }
        return path
    }

    /// The area between a line and a limit, where it is above.
    func excess(above limit: Double, _ axis: TimeAxis, _ height: (Double) -> Double) -> String {
        var path = ""
        let base = PageText.short(height(limit), 1)
        var isOpen = false
        var previous: (time: Double, value: Double)?
        for point in points {
            guard let value = point.value else { continue }
            if value > limit {
                if !isOpen {
                    path +=
                        "M\(PageText.short(axis.share(previous.map { Self.crossing($0, point.time, value, limit) } ?? point.time) * 1000, 1)) \(base)"
                    isOpen = true
                }
                path += "L\(PageText.short(axis.share(point.time) * 1000, 1)) \(PageText.short(height(value), 1))"
            } else if isOpen {
                let end = previous.map { Self.crossing($0, point.time, value, limit) } ?? point.time
                path += "L\(PageText.short(axis.share(end) * 1000, 1)) \(base)Z"
                isOpen = false
            }
            previous = (point.time, value)
        }
        if isOpen, let previous { path += "L\(PageText.short(axis.share(previous.time) * 1000, 1)) \(base)Z" }
        return path
    }

    /// When the straight line between two points has a value.
    private static func crossing(
        _ previous: (time: Double, value: Double), _ time: Double, _ value: Double, _ limit: Double
    ) -> Double {
        guard value != previous.value else { return time }
        return previous.time + (time - previous.time) * (limit - previous.value) / (value - previous.value)
    }
}
