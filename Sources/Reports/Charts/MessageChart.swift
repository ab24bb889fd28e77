/// Who sent whom what around a moment: hosts side by side, time downwards.
///
/// Every sending and every arrival has a line of its own, in order: a millisecond on the way and half a minute of silence are both seen.
public enum MessageChart {
    private static let row: Double = 13
    private static let head: Double = 30
    /// Silences that are told of, in seconds.
    private static let silenceMin: Double = 0.9
    /// Messages that are drawn.
    private static let messagesMax: Int = 44
    private static let labelMax: Int = 30

    private enum Step {
        case sent(Int)
        case arrived(Int)
        case moment
    }

    /// Draws the messages.
    public static func chart(of record: RunRecord.Messages, order: [String]) -> Chart {
        let messages = chosen(of: record)
        let hosts = hosts(of: messages, order: order)
        let steps = steps(of: messages, moment: record.moment)
        var (drawing, gutter) = (Drawing(), Drawing())
        var sentAt: [Int: Double] = [:]
        var arrivedAt: [Int: Double] = [:]
        var y = head
        var last: Double?
        var momentAt: Double?
        for (time, step) in steps {
            if let last, time - last >= silenceMin {
                y += row
                gutter.gutterLabel(y + 4, "· · ·")
                drawing.label(0.5, y + 4, "\(PageText.short(time - last, 1)) s later", "silence")
                y += row
            }
            y += row
            last = time
            switch step {
            case .sent(let number):
                sentAt[number] = y
                if messages[number].arrival == nil { y += row * 0.7 }
                gutter.gutterLabel((sentAt[number] ?? y) + 4, PageText.fixed(time, 3))
            case .arrived(let number): arrivedAt[number] = y
            case .moment:
                momentAt = y
                gutter.gutterLabel(y + 4, PageText.fixed(time, 3), "momenttext")
            }
        }
        let height = y + row * 1.5
        func place(_ host: String) -> Double {
            (Double(hosts.firstIndex(of: host) ?? 0) + 0.5) / Double(max(1, hosts.count))
        }
        for (number, host) in hosts.enumerated() {
            let x = place(host)
            drawing.line(x, head, x, height, "host")
            // Names of neighbours stand on two lines, so that long ones do not meet.
            drawing.label(x, number % 2 == 0 || hosts.count < 3 ? 11 : 24, host, "hostname")
        }
        if let momentAt {
            drawing.line(0, momentAt, 1, momentAt, "violation")
            drawing.label(0.995, momentAt - 4, "here", "momenttext", anchor: .end)
        }
        for (number, message) in messages.enumerated() {
            guard let top = sentAt[number] else { continue }
            draw(
                message, from: (place(message.source), top), to: place(message.target), arrivedAt[number], in: &drawing)
        }
        let whose = record.entities.isEmpty ? "" : " of \(record.entities.joined(separator: ", "))"
        let isTest = record.about.hasPrefix(RunRecord.Messages.unmet)
        return Chart(
            title: "Messages\(whose) around the first \(isTest ? "test that was not met" : "violation")",
            unit: "hosts, and time downwards in s, not to scale",
            legend: [
                .init(style: "request", text: "request"), .init(style: "response", text: "answer"),
                .init(style: "gone", text: "lost or kept by the network"),
                .init(style: "violation", text: "the moment of it"),
            ], height: Int(height) + 4, gutter: gutter.text, plot: drawing.text,
            note: "At \(PageText.seconds(record.moment)): \(record.about).")
    }

    private static func chosen(of record: RunRecord.Messages) -> [RunRecord.Messages.Message] {
        let before = record.messages.filter { $0.sent <= record.moment }
        let after = record.messages.filter { $0.sent > record.moment }
        return Array(before.suffix(messagesMax - min(after.count, messagesMax / 4)) + after.prefix(messagesMax / 4))
    }

    private static func hosts(of messages: [RunRecord.Messages.Message], order: [String]) -> [String] {
        var hosts: [String] = []
        for message in messages {
            for host in [message.source, message.target] where !hosts.contains(host) { hosts.append(host) }
        }
        // As the deployment names them; others behind.
        return hosts.sorted {
            (order.firstIndex(of: $0) ?? .max, $0) < (order.firstIndex(of: $1) ?? .max, $1)
        }
    }

    private static func steps(
        of messages: [RunRecord.Messages.Message], moment: Double
    ) -> [(time: Double, step: Step)] {
        var steps: [(time: Double, step: Step)] = []
        for (number, message) in messages.enumerated() {
            steps.append((message.sent, .sent(number)))
            if let arrival = message.arrival { steps.append((arrival, .arrived(number))) }
        }
        steps.append((moment, .moment))
        // Equal times keep their order.
        return steps.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    private static func draw(
        _ message: RunRecord.Messages.Message, from: (x: Double, y: Double), to target: Double, _ arrival: Double?,
        in drawing: inout Drawing
    ) {
        let isResponse = message.label.first?.isNumber ?? false
        var label = isResponse ? String(message.label.split(separator: " ").first ?? "") : message.label
        if label.count > labelMax { label = label.prefix(labelMax) + "…" }
        let isForward = target >= from.x
        guard let arrival else {
            let end = from.x + (target - from.x) * 0.6
            drawing.line(from.x, from.y, end, from.y + row * 0.6, "arrow gone")
            drawing.label(end, from.y + row * 0.6 + 4, "✕", "gonemark")
            return drawing.label(
                from.x, from.y - 2, " \(label) ", "message", anchor: isForward ? .start : .end)
        }
        drawing.line(from.x, from.y, target, arrival, "arrow \(isResponse ? "response" : "request")")
        // The tip: a dot, since lines over shares of the width have no angle of their own.
        drawing.append(
            "<circle class=\"tip\" cx=\"\(Drawing.percent(target))\" cy=\"\(Drawing.pixels(arrival))\" r=\"2.5\"/>")
        drawing.label(from.x, from.y - 2, " \(label) ", "message", anchor: isForward ? .start : .end)
    }
}
