/// Something that is wrong with a file of the backlog.
public struct HypothesisProblem: Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// The line, from 1 on; nil when it is the file as a whole.
    public let line: Int?
    /// What is wrong.
    public let message: String
    /// What to do.
    public let remedy: String

    /// The problem as compilers tell theirs: file, line, what is wrong, what to do.
    public var description: String { "\(path):\(line.map { "\($0):" } ?? "") \(message); \(remedy)" }
}

/// Why a file is no hypothesis: everything that is wrong with it.
public struct HypothesisError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in the file's order.
    public let problems: [HypothesisProblem]

    /// A line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
