public import Documents

/// When a fault begins.
public enum FaultTrigger: Hashable, Sendable {
    /// So long after the run began.
    case at(Duration)
    /// When a mark is reached for the n-th time (1 is the first), and so much later.
    case on(mark: String, nth: Int, delay: Duration)
}

/// A fault with its time: when it begins, and for how long it acts.
public struct ScheduledFault: Hashable, Sendable {
    /// When it begins.
    public var trigger: FaultTrigger
    /// For how long it acts; nil until everything is healed.
    public var duration: Duration?
    /// What goes wrong.
    public var fault: Fault

    /// Makes a scheduled fault of its parts.
    public init(_ trigger: FaultTrigger, for duration: Duration? = nil, _ fault: Fault) {
        self.trigger = trigger
        self.duration = duration
        self.fault = fault
    }
}

/// Faults with their times: everything that goes wrong in a run, as data that can be stored, played again and made smaller.
public struct FaultSchedule: Hashable, Sendable {
    /// The faults, in any order; of two that begin at the same moment the first begins first.
    public var faults: [ScheduledFault]

    /// Makes a schedule of faults.
    public init(_ faults: [ScheduledFault] = []) {
        self.faults = faults
    }

    /// Faults that a schedule may have.
    public static let faultsMax: Int = 10_000
}

// MARK: Documents

extension ScheduledFault {
    /// As an object of a document: `at` in seconds, or `on`, `nth` and `delay`; `for` in seconds; and the fault's own parts.
    public var document: Value.Object {
        var document: Value.Object = [:]
        switch trigger {
        case .at(let time): document["at"] = .seconds(time)
        case .on(let mark, let nth, let delay):
            document["on"] = .string(mark)
            if nth != 1 { document["nth"] = .integer(nth) }
            if delay != .zero { document["delay"] = .seconds(delay) }
        }
        if let duration { document["for"] = .seconds(duration) }
        return document.merging(fault.document)
    }

    /// Reads a scheduled fault from an object of a document.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong.
    public init(_ document: Value.Object) throws(FaultError) {
        var rest = document
        func take(_ name: String) -> Value? {
            defer { rest[name] = nil }
            return rest[name]
        }
        let (at, on, nth, delay, span) = (take("at"), take("on"), take("nth"), take("delay"), take("for"))
        let trigger: FaultTrigger
        switch (at, on) {
        case (let at?, nil):
            guard nth == nil, delay == nil else { throw FaultError("'nth' and 'delay' go with 'on', not with 'at'") }
            trigger = .at(try Self.seconds(at, "at"))
        case (nil, let on?):
            guard let mark = on.string, !mark.isEmpty else { throw FaultError("'on' is the name of a mark") }
            let number = nth.map { $0.integer ?? 0 } ?? 1
            guard number >= 1 else { throw FaultError("'nth' is a whole number from 1 on") }
            trigger = .on(
                mark: mark, nth: number,
                delay: try delay.map { value throws(FaultError) in try Self.seconds(value, "delay") } ?? .zero)
        default: throw FaultError("a scheduled fault has 'at' (seconds) or 'on' (a mark)")
        }
        self.init(
            trigger, for: try span.map { value throws(FaultError) in try Self.seconds(value, "for") }, try Fault(rest))
    }

    private static func seconds(_ value: Value, _ name: String) throws(FaultError) -> Duration {
        guard let number = value.number, (0...Parameter.secondsMax * 7).contains(number) else {
            throw FaultError("'\(name)' is a number of seconds from 0 on")
        }
        return .nanoseconds(Int64((number * 1e9).rounded()))
    }
}

extension ScheduledFault: CustomStringConvertible {
    /// The fault in a line, such as `at 60 for 10 network.cut service=storage`; ``init(line:)`` reads it.
    public var description: String {
        var words: [String]
        switch trigger {
        case .at(let time): words = ["at", FaultLine.write(.seconds(time))]
        case .on(let mark, let nth, let delay):
            words = ["on", "\(mark)#\(nth)"]
            if delay != .zero { words.append("+\(FaultLine.write(.seconds(delay)))") }
        }
        if let duration { words += ["for", FaultLine.write(.seconds(duration))] }
        return (words + ["\(fault)"]).joined(separator: " ")
    }

    /// Reads a scheduled fault from its line.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong.
    public init(line: String) throws(FaultError) {
        var words = FaultLine.words(line)[...]
        var document: Value.Object = [:]
        switch words.popFirst() {
        case "at": document["at"] = words.popFirst().map(FaultLine.read) ?? .null
        case "on":
            let parts = (words.popFirst() ?? "").split(separator: "#")
            document["on"] = .string(parts.first.map(String.init) ?? "")
            if parts.count == 2 { document["nth"] = .integer(Int(parts[1]) ?? 0) }
            if let delay = words.first, delay.hasPrefix("+") {
                document["delay"] = FaultLine.read(String(delay.dropFirst()))
                words.removeFirst()
            }
        default: throw FaultError("a scheduled fault begins with 'at' (seconds) or 'on' (a mark): \(line)")
        }
        if words.first == "for" {
            words.removeFirst()
            document["for"] = .seconds(try Self.seconds(words.popFirst().map(FaultLine.read) ?? .null, "for"))
        }
        try self.init(document.merging(try Fault(words: words).document))
    }
}

extension FaultSchedule: CustomStringConvertible {
    /// As a list of a document.
    public var document: Value { .array(faults.map { .object($0.document) }) }

    /// Reads a schedule from a list of a document: objects, or lines.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong and the number of its entry.
    public init(_ document: Value) throws(FaultError) {
        guard let list = document.array else { throw FaultError("a fault schedule is a list, not \(document.kind)") }
        guard list.count <= Self.faultsMax else {
            throw FaultError("a fault schedule has at most \(Self.faultsMax) faults, not \(list.count)")
        }
        faults = []
        for (index, entry) in list.enumerated() {
            do throws(FaultError) {
                if let line = entry.string {
                    faults.append(try ScheduledFault(line: line))
                } else if let object = entry.object {
                    faults.append(try ScheduledFault(object))
                } else {
                    throw FaultError("a scheduled fault is an object or a line, not \(entry.kind)")
                }
            } catch {
                throw FaultError("fault \(index + 1): \(error)")
            }
        }
    }

    /// Reads a schedule from its ``description``: a line for each fault; empty lines are none.
    ///
    /// - Throws: ``FaultError`` with the first thing that is wrong and the number of its entry.
    public init(lines text: String) throws(FaultError) {
        try self.init(.array(text.split(whereSeparator: \.isNewline).map { .string(String($0)) }))
    }

    /// A line for each fault.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
