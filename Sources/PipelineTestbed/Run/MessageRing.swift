import Documents
import Durations
import Faults
import NIOCore
import SimulatedWorld

/// The last messages that hosts sent each other, for who wants to see what went on around a moment.
final class MessageRing {
    /// A message as it was sent; what it says is read only when somebody wants to know.
    private struct Sent {
        let connection: UInt64
        let source: String
        let target: String
        let sent: UInt64
        let arrival: UInt64?
        let head: [UInt8]
    }

    /// A message, and what it says.
    private struct Message {
        let sent: Sent
        let label: String
    }

    private var ring: [Sent] = []
    private var oldest: Int = 0
    private var isClosed: Bool = false

    /// Messages that are kept.
    private static let keptMax: Int = 4096
    /// Messages that are told.
    private static let toldMax: Int = 90
    /// Messages of what is looked at that are enough to leave all others out.
    private static let concernedMin: Int = 4
    /// The time before a moment that is told of what is looked at, and of everything else, in ns.
    private static let concernedSpan: UInt64 = 60_000_000_000
    private static let span: UInt64 = 10_000_000_000
    /// The time behind it that is told.
    static let after: Duration = .seconds(2)
    private static let labelMax: Int = 60

    /// Bytes of a message that are kept: its first line, or the beginning of it.
    private static let headMax: Int = 120

    /// Notes a message, unless it is only the rest of one.
    func note(_ packet: PacketSighting) {
        let bytes = packet.contents.readableBytesView
        guard !isClosed, let first = bytes.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            return
        }
        let message = Sent(
            connection: packet.connection, source: packet.source, target: packet.target, sent: packet.sent,
            arrival: packet.arrival, head: Array(bytes.prefix(Self.headMax)))
        if ring.count < Self.keptMax {
            ring.append(message)
        } else {
            ring[oldest] = message
            oldest = (oldest + 1) % Self.keptMax
        }
    }

    /// Keeps nothing any more.
    func close() {
        isClosed = true
        ring = []
        oldest = 0
    }

    /// The messages that were sent until a moment, each with what it says: a request what it asks for, an answer its status and the request.
    private func messages(until last: UInt64) -> [Message] {
        var requests: [UInt64: String] = [:]
        return (ring[oldest...] + ring[..<oldest]).compactMap { sent in
            let line = String(decoding: sent.head.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
            let words = line.split(separator: " ")
            guard words.count >= 2, sent.sent <= last else { return nil }
            if line.hasPrefix("HTTP/") {
                let request = requests[sent.connection].map { " \($0)" } ?? ""
                return Message(sent: sent, label: "\(words[1])\(request)")
            }
            guard words[1].hasPrefix("/") else { return nil }
            let label = String("\(words[0]) \(words[1])".prefix(Self.labelMax))
            requests[sent.connection] = label
            return Message(sent: sent, label: label)
        }
    }

    /// The messages around a moment: those that name what is looked at, or all; nil if there are none.
    func document(around moment: Duration, about: String, entities: [String]) -> Value.Object? {
        let time = moment.unsignedNanoseconds
        let all = messages(until: time + Self.after.unsignedNanoseconds)
        let concerned = all.filter { message in
            message.sent.sent + Self.concernedSpan >= time
                && entities.contains { message.label.hasSuffix("/\($0)") || message.label.contains("/\($0)/") }
        }
        let isNarrow = concerned.count >= Self.concernedMin
        let chosen = (isNarrow ? concerned : all.filter { $0.sent.sent + Self.span >= time }).suffix(Self.toldMax)
        guard !chosen.isEmpty else { return nil }
        return [
            "event": "messages", "at": .seconds(moment), "about": .string(about),
            "of": .array(isNarrow ? entities.map { .string($0) } : []),
            "messages": .array(
                chosen.map { message -> Value in
                    let sent = message.sent
                    return [
                        .integer(Int(sent.connection)), .string(sent.source), .string(sent.target),
                        .real(Self.seconds(sent.sent)), sent.arrival.map { .real(Self.seconds($0)) } ?? .null,
                        .string(message.label),
                    ]
                }),
        ]
    }

    private static func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds / 1000) / 1_000_000 }
}
