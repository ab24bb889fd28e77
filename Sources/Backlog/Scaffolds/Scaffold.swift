/// A file to begin with: it can be used as it is, and explains each of its parts.
public struct Scaffold: Sendable {
    /// What is begun.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// A hypothesis of the backlog.
        case hypothesis
        /// An experiment in a simulated landscape.
        case scenario
    }

    /// What is begun.
    public let kind: Kind
    /// The name that it is called by.
    public let name: String

    /// Begins something under a name.
    ///
    /// - Throws: ``NameError`` for a name that cannot be a file's.
    public init(_ kind: Kind, named name: String) throws(NameError) {
        let isUsable = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard isUsable, name.first.map({ $0.isLetter || $0.isNumber }) ?? false else { throw NameError(name: name) }
        self.kind = kind
        self.name = name
    }

    /// Why something cannot have a name.
    public struct NameError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The name.
        public let name: String

        /// What is wrong and what would be right.
        public var description: String {
            "'\(name)' cannot be the name: take letters, digits, '-', '_' and '.', and begin with a letter or a digit, as in slow-meters"
        }
    }

    /// The folder where files of the kind are kept.
    public var folder: String {
        switch kind {
        case .hypothesis: BacklogFolder.standardPath
        case .scenario: "scenarios"
        }
    }

    /// The file's name.
    public var file: String { "\(name).yaml" }

    /// What the file holds.
    public var text: String {
        switch kind {
        case .hypothesis: Self.hypothesis
        case .scenario: Self.scenario
        }
    }

    /// What to do with the file, step by step.
    ///
    /// - Parameter path: Where it was written.
    /// - Returns: A line for each step.
    public func nextSteps(_ path: String) -> [String] {
        switch kind {
        case .hypothesis:
            [
                "say in \(path) what is believed, with its numbers; comments there explain each part",
                "windkanal backlog            shows it, and what is wrong with the file",
                "windkanal new scenario \(name)    begins an experiment that tries it; name it under 'experiments'",
            ]
        case .scenario:
            [
                "windkanal validate \(path)    says everything that is wrong, with its line",
                "windkanal run \(path)         runs ten virtual minutes of it",
                "windkanal activities          lists what can be done to the landscape",
            ]
        }
    }
}
