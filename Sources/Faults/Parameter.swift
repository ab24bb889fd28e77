public import Documents

/// A value that a fault or an activity is given, by name: what it means and what may be said.
public struct Parameter: Hashable, Sendable {
    /// What may be said.
    public enum Kind: Hashable, Sendable {
        /// The name of somebody that can be crashed: a service, a replica, a node.
        case process
        /// The name of somebody on the network, which includes whoever experiments.
        case host
        /// The name of somebody that has a disk.
        case disk
        /// Seconds from 0 on.
        case seconds
        /// Seconds from 0 on, or null.
        case secondsOrNull
        /// Seconds, before or after.
        case offset
        /// How often, from 0 to 1: a number, or a string such as `1/20`.
        case ratio
        /// Whole bytes.
        case bytes
        /// A whole number in a range.
        case count(ClosedRange<Int>)
        /// A string out of several.
        case choice([String])
        /// Any string.
        case string
        /// Values by name; whoever takes them checks them.
        case object
    }

    /// Its name.
    public let name: String
    /// What it says, for people.
    public let meaning: String
    /// What may be said.
    public let kind: Kind
    /// Whether it may be left out.
    public let isOptional: Bool

    /// Makes a parameter that must be given.
    public static func required(_ name: String, _ meaning: String, _ kind: Kind) -> Parameter {
        Parameter(name: name, meaning: meaning, kind: kind, isOptional: false)
    }

    /// Makes a parameter that may be left out.
    public static func optional(_ name: String, _ meaning: String, _ kind: Kind) -> Parameter {
        Parameter(name: name, meaning: meaning, kind: kind, isOptional: true)
    }

    /// The longest time that is told of, in seconds.
    public static let secondsMax: Double = 86_400
    /// The most bytes that are told of.
    public static let bytesMax: Int = 1 << 50
    /// The smallest share that is not none.
    public static let ratioMin: Double = 0.000_001
}

/// The names that a deployment has, for those who check arguments.
public struct DeploymentNames: Hashable, Sendable {
    /// Who can be crashed.
    public var processes: [String]
    /// Who is on the network.
    public var hosts: [String]
    /// Who has a disk.
    public var disks: [String]
    /// Who asks whom.
    public var routes: [Route]

    /// Somebody who asks, and somebody who answers.
    public struct Route: Hashable, Sendable {
        /// Who asks.
        public let client: String
        /// Who answers.
        public let server: String

        /// Makes a route.
        public init(client: String, server: String) {
            self.client = client
            self.server = server
        }
    }

    /// Makes names of their parts.
    public init(processes: [String], hosts: [String], disks: [String], routes: [Route] = []) {
        self.processes = processes
        self.hosts = hosts
        self.disks = disks
        self.routes = routes
    }
}

extension Parameter {
    /// Checks a value.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - names: The names of the deployment; nil where that is not known.
    /// - Returns: What is wrong, as the end of a sentence that begins with the parameter; nil if nothing is.
    public func problem(of value: Value, names: DeploymentNames?) -> String? {
        switch kind {
        case .process: problem(ofName: value, names?.processes, "service")
        case .host: problem(ofName: value, names?.hosts, "machine")
        case .disk: problem(ofName: value, names?.disks, "service with a disk")
        case .seconds: problem(ofSeconds: value, from: 0)
        case .secondsOrNull: value.isNull ? nil : problem(ofSeconds: value, from: 0)
        case .offset: problem(ofSeconds: value, from: -Self.secondsMax)
        case .ratio:
            FaultArguments.ratio(value) == nil
                ? "is 0, a number from 0.000001 to 1 or a string such as 1/20, not \(Self.shown(value))" : nil
        case .bytes:
            value.integer.map { (0...Self.bytesMax).contains($0) } ?? false
                ? nil : "is a whole number from 0 to 2^50, not \(Self.shown(value))"
        case .count(let range):
            value.integer.map { range.contains($0) } ?? false
                ? nil : "is a whole number from \(range.lowerBound) to \(range.upperBound), not \(Self.shown(value))"
        case .choice(let choices):
            value.string.map { choices.contains($0) } ?? false
                ? nil : "is one of \(choices.joined(separator: ", ")), not \(Self.shown(value))"
        case .string: value.string?.isEmpty ?? true ? "is a string, not \(Self.shown(value))" : nil
        case .object: value.object == nil ? "is an object, not \(Self.shown(value))" : nil
        }
    }

    private func problem(ofName value: Value, _ known: [String]?, _ what: String) -> String? {
        if isOptional, value.isNull { return nil }
        guard let name = value.string else { return "is a string, not \(Self.shown(value))" }
        guard let known, name != FaultTarget.everybody.name, !known.contains(name) else { return nil }
        guard !known.isEmpty else { return "names the \(what) '\(name)', but there is none" }
        return "names the \(what) '\(name)', which is not there; there are \(known.joined(separator: ", "))"
    }

    private func problem(ofSeconds value: Value, from least: Double) -> String? {
        guard let seconds = value.number, (least...Self.secondsMax).contains(seconds) else {
            return "is a number of seconds from \(Int(least)) to \(Int(Self.secondsMax)), not \(Self.shown(value))"
        }
        return nil
    }

    private static func shown(_ value: Value) -> String { JSONWriter.write(value) }
}
