/// What happened in one run, as far as reports show it; times are seconds since the run began.
public struct RunRecord: Hashable, Sendable {
    /// The age that is bound, and its limit.
    public struct Bound: Hashable, Sendable {
        /// The age's name.
        public let age: String
        /// The limit in seconds.
        public let seconds: Double
        /// Whether exceeding it refutes a run.
        public let binds: Bool
        /// For how long after a fault it may be exceeded.
        public let settle: Double
        /// For how many of how many seconds it was exceeded; nil before the end is known.
        public var exceeded: (seconds: Int, of: Int)? { watched > 0 ? (over, watched) : nil }
        var over: Int = 0
        var watched: Int = 0
    }

    /// The landscape that the run was in.
    public struct Landscape: Hashable, Sendable {
        /// How many flats it has.
        public let flats: Int
        /// Their names, where each has a state of its own.
        public let names: [String]
        /// The poller's profile.
        public let profile: String
        /// How often a flat is polled, in seconds.
        public let interval: Double
        /// Whether readings are kept behind the poller.
        public let keepsReadings: Bool
        /// How long it ran before the experiment began.
        public let warmUp: Double
        /// The processes, and the nodes that they run on.
        public let services: [String]
        /// Seconds that a sample stands for.
        public let secondsPerSample: Int
    }

    /// How the landscape did for some seconds.
    public struct Sample: Hashable, Sendable {
        /// The end of these seconds.
        public let time: Double
        /// The largest of each age: global, per flat, data.
        public let ages: [Double]
        /// The worst state of each flat; empty where they are counted.
        public let flats: [FlatState]
        /// How many flats are in each state.
        public let counts: [Int]
        /// Requests that succeeded.
        public let succeeded: Int
        /// Requests that failed.
        public let failed: Int
        /// The median, 95th percentile and largest latency in ms; nil where no request ended.
        public let latency: [Double]?
        /// Breakers that are open.
        public let open: Int
        /// Readings in the outbox; nil where there is none.
        public let outbox: Int?
        /// Records in the broker that the storage's group has not committed; nil where there is none.
        public let lag: Int?
    }

    /// How a flat does.
    public enum FlatState: Int, CaseIterable, Hashable, Sendable {
        /// It was fetched, or nothing is known against it.
        case fetched
        /// Its last request failed.
        case failing
        /// Its breaker is open.
        case open
        /// It was not fetched for longer than the bound.
        case beyond

        init?(_ byte: UInt8) {
            switch byte {
            case UInt8(ascii: "."): self = .fetched
            case UInt8(ascii: "f"): self = .failing
            case UInt8(ascii: "o"): self = .open
            case UInt8(ascii: "x"): self = .beyond
            default: return nil
            }
        }
    }

    /// Percentiles of all requests' latencies.
    public struct Latency: Hashable, Sendable {
        /// How many requests there were.
        public let requests: Int
        /// Percentiles with their latency in ms.
        public let percentiles: [Percentile]

        /// A percentile.
        public struct Percentile: Hashable, Sendable {
            /// Of a hundred.
            public let percent: Int
            /// In ms.
            public let milliseconds: Double
        }
    }

    /// A fault that acted.
    public struct Fault: Hashable, Sendable {
        /// What went wrong, in a line.
        public let line: String
        /// When it was applied.
        public let since: Double
        /// When it was taken back; nil if it never was.
        public let until: Double?
        /// When it acts, within that: windows of a device schedule, or the whole.
        public let windows: [Span]
        /// `hit`, `partly` or `missed`.
        public let impact: String
        /// How often it was felt.
        public let hits: Int
        /// Who felt it how often.
        public let targets: [Target]

        /// Who felt it how often.
        public struct Target: Hashable, Sendable {
            /// The process or host.
            public let name: String
            /// How often.
            public let hits: Int
        }
    }

    /// A time from a moment to another.
    public struct Span: Hashable, Sendable {
        /// The beginning.
        public let from: Double
        /// The end; nil is the run's.
        public let to: Double?
    }

    /// The life of a process.
    public struct Process: Hashable, Sendable {
        /// What it does.
        public enum State: String, Hashable, Sendable {
            /// It runs.
            case up
            /// It does not.
            case down
            /// It is stopped in the middle of everything.
            case paused
        }

        /// A change, and why.
        public struct Change: Hashable, Sendable {
            /// When.
            public let time: Double
            /// What it does from then on.
            public let state: State
            /// Why, for people.
            public let reason: String
        }

        /// Its name.
        public let name: String
        /// What happened to it, in order.
        public var changes: [Change] = []
    }

    /// What became of the readings.
    public struct Ledger: Hashable, Sendable {
        /// How many readings are in a class.
        public struct Class: Hashable, Sendable {
            /// The class' name.
            public let name: String
            /// How many there are.
            public let count: Int
        }

        /// Classes with how many readings each has.
        public let classes: [Class]
        /// The first lost readings, each with its history.
        public let told: [String]

        /// How many readings are in a class.
        public func count(_ name: String) -> Int { classes.first { $0.name == name }?.count ?? 0 }
    }

    /// Messages around a moment.
    public struct Messages: Hashable, Sendable {
        /// A message.
        public struct Message: Hashable, Sendable {
            /// The connection's number.
            public let connection: Int
            /// Who sent it.
            public let source: String
            /// Whom it was sent to.
            public let target: String
            /// When it was sent.
            public let sent: Double
            /// When it arrived; nil if it was lost or kept.
            public let arrival: Double?
            /// What it says.
            public let label: String
        }

        /// What stands before the title of a test that was not met.
        static let unmet: String = "not met: "

        /// The moment.
        public let moment: Double
        /// What happened then.
        public let about: String
        /// What the messages are about; empty is everything.
        public let entities: [String]
        /// The messages, in the order in which they were sent.
        public let messages: [Message]
    }

    /// An invariant that was violated.
    public struct Violation: Hashable, Sendable {
        /// The claim.
        public let invariant: String
        /// When it was found.
        public let time: Double
        /// What is wrong.
        public let message: String
        /// Whom it concerns.
        public let entities: [String]
        /// What led there.
        public let history: [String]
    }

    /// An activity of the experiment.
    public struct Activity: Hashable, Sendable {
        /// Its name.
        public let name: String
        /// Whether it is an action or a probe.
        public let kind: String
        /// In which phase it was performed.
        public let phase: String
        /// When it began.
        public let time: Double
        /// How it ended.
        public let status: String
        /// Why it failed.
        public let failure: String?
    }

    /// A test of the hypothesis.
    public struct Test: Hashable, Sendable {
        /// In which phase it was made.
        public let phase: String
        /// When it ended.
        public let time: Double
        /// Whether it was met.
        public let isMet: Bool
        /// The first probe that was not within its tolerance.
        public let probe: String?
    }

    /// The experiment's title.
    public var title: String = ""
    /// The hypothesis' title.
    public var hypothesis: String?
    /// The verdict's word.
    public var verdict: String = "unknown"
    /// Whether it counts as a success.
    public var isSuccess: Bool = false
    /// Why, a sentence's part each.
    public var reasons: [String] = []
    /// What the run followed from, as its digits; nil in reality.
    public var seed: String?
    /// What all decisions fold to; nil in reality.
    public var digest: String?
    /// The command that plays it again.
    public var replay: [String] = []
    /// When it ended.
    public var end: Double = 0
    /// Where it ran; nil in reality.
    public var landscape: Landscape?
    /// The age that is bound.
    public var bound: Bound?
    /// The largest and the 95th percentile of each age, in seconds.
    public var ages: [Age] = []
    /// How the landscape did.
    public var samples: [Sample] = []
    /// Percentiles of latencies.
    public var latency: Latency?
    /// Faults, in the order in which they began.
    public var faults: [Fault] = []
    /// Faults that could not be applied.
    public var problems: [String] = []
    /// What every process was doing.
    public var processes: [Process] = []
    /// What became of the readings.
    public var ledger: Ledger?
    /// Messages around the first violation.
    public var messages: Messages?
    /// What was claimed.
    public var invariants: [String] = []
    /// What was violated, in its order.
    public var violations: [Violation] = []
    /// Activities of the method and the rollbacks.
    public var activities: [Activity] = []
    /// Tests of the hypothesis before and after the method.
    public var tests: [Test] = []
    /// Tests beside the method.
    public var testsBeside: Int = 0
    /// How many of them were met.
    public var testsBesideMet: Int = 0
    /// Those that ended otherwise than the one before.
    public var turns: [Test] = []

    /// The largest and the 95th percentile of an age.
    public struct Age: Hashable, Sendable {
        /// The age's name.
        public let name: String
        /// In seconds.
        public let max: Double
        /// In seconds.
        public let p95: Double
    }

    /// Makes a record of nothing.
    public init() {}

    /// Faults that hit nothing.
    public var missed: [Fault] { faults.filter { $0.impact == "missed" } }
}

extension RunRecord {
    /// Why the verdict is as it is, in a sentence.
    public var why: String {
        if let first = violations.first {
            let others = violations.count > 1 ? ", and \(violations.count - 1) more" : ""
            return "“\(first.invariant)” was violated at \(PageText.seconds(first.time)): \(first.message)\(others)"
        }
        if !isSuccess, let reason = reasons.first { return reason }
        if let test = tests.first(where: { !$0.isMet }) {
            return "the hypothesis was not met \(test.phase) the method"
                + (test.probe.map { ": “\($0)” was outside its tolerance" } ?? "")
        }
        switch verdict {
        case "held":
            let kept =
                invariants.isEmpty ? "" : " and \(invariants.count) invariant\(invariants.count == 1 ? "" : "s") kept"
            return tests.isEmpty
                ? "nothing that was claimed was violated" : "the hypothesis was met before and after the method\(kept)"
        case "untested": return "there was no hypothesis to test"
        default: return "the run ended as “\(verdict)”"
        }
    }
}
