public import Activities
import Glibc
import Sessions

/// The folder of the backlog: a file for each hypothesis.
public struct BacklogFolder: Sendable {
    /// The folder's path.
    public let path: String

    /// The folder where hypotheses are looked for unless somebody says otherwise.
    public static let standardPath: String = "hypotheses"

    /// Endings of files that are hypotheses.
    static let endings: [String] = [".yaml", ".yml"]

    /// A folder by its path.
    public init(_ path: String = Self.standardPath) {
        self.path = path
    }

    /// Everything that is in the folder: hypotheses that can be read, and what is wrong with the others.
    ///
    /// - Throws: ``FileError`` when the folder itself cannot be read.
    public func read() throws(FileError) -> (hypotheses: [Hypothesis], problems: [HypothesisProblem]) {
        var hypotheses: [Hypothesis] = []
        var problems: [HypothesisProblem] = []
        for file in try Folder.names(in: path) where Self.endings.contains(where: file.hasSuffix) {
            do throws(HypothesisError) {
                hypotheses.append(try Self.hypothesis(at: path == "." ? file : "\(path)/\(file)"))
            } catch {
                problems += error.problems
            }
        }
        return (hypotheses, problems)
    }

    /// The hypothesis of a file.
    ///
    /// - Throws: ``HypothesisError`` with everything that is wrong, that the file cannot be read too.
    public static func hypothesis(at path: String) throws(HypothesisError) -> Hypothesis {
        try Hypothesis.read(try text(of: path), path: path, exists: Files.exists)
    }

    private static func text(of path: String) throws(HypothesisError) -> String {
        do throws(FileError) {
            if let text = String(validating: try Files.read(path), as: UTF8.self) { return text }
        } catch {
            throw Self.error(path, "the file cannot be read: \(error)", "see whether it is there and may be read")
        }
        throw Self.error(path, "the file is not UTF-8", "save it as UTF-8")
    }

    private static func error(_ path: String, _ message: String, _ remedy: String) -> HypothesisError {
        HypothesisError(problems: [HypothesisProblem(path: path, line: nil, message: message, remedy: remedy)])
    }

    /// Adds an evaluation to a hypothesis' file, as it is now, and leaves everything else in it as it was written.
    ///
    /// Who adds to the same folder at the same time waits: nothing that somebody records is lost.
    ///
    /// - Throws: ``RecordingFailure``; then the file is as it was.
    public static func record(_ evaluation: Evaluation, in hypothesis: Hypothesis) throws(RecordingFailure) {
        let path = hypothesis.path
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        do {
            try Folder.withLock(of: folder) {
                // As it is now: people and other runs may have written in the meantime.
                let text = try text(of: path)
                try OutputFile(path).write(try EvaluationWriter(text).adding(evaluation))
            }
        } catch {
            throw RecordingFailure(description: "the evaluation cannot be recorded in \(path): \(error)")
        }
    }
}

/// Why an evaluation was not recorded.
public struct RecordingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where and why.
    public let description: String
}
