import Activities

extension BacklogFolder {
    /// Where an evaluation goes: the hypothesis, and the experiment as the hypothesis names it.
    public struct Destination: Sendable {
        /// The hypothesis.
        public let hypothesis: Hypothesis
        /// The experiment's file, relative to the hypothesis' own.
        public let file: String

        /// The profile under which an evaluation is kept: as the plan has it, of those that come to the same.
        ///
        /// - Parameters:
        ///   - used: The profile that the run had.
        ///   - isOfFile: Whether it is the one of the experiment's file.
        ///   - isAsked: Whether somebody asked for it.
        /// - Returns: The profile; nil is the one of the file.
        public func profile(_ used: String?, isOfFile: Bool, isAsked: Bool) -> String? {
            let planned = hypothesis.experiments.filter {
                Hypothesis.withoutDots($0.file) == Hypothesis.withoutDots(file)
            }
            let choices = isOfFile ? [used, nil] : [used]
            let asked = isAsked ? used : nil
            return choices.first { choice in planned.contains { $0.profile == choice } } ?? asked
        }
    }

    /// Why nobody knows where an evaluation is to go.
    public struct SelectionError: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong and what to do.
        public let description: String
    }

    /// Finds the hypothesis that an experiment belongs to.
    ///
    /// - Parameters:
    ///   - experiment: The experiment's file.
    ///   - name: The hypothesis' name or its file; nil looks for the one that plans the experiment.
    /// - Returns: Where to keep what comes of the experiment.
    /// - Throws: ``SelectionError`` when there is none, when there are several, or when one cannot be read.
    public func destination(of experiment: String, in name: String?) throws(SelectionError) -> Destination {
        guard !experiment.contains("://") else {
            throw SelectionError(
                description: "what comes of an experiment from an address cannot be recorded; keep it in a file")
        }
        let hypotheses: [Hypothesis]
        var problems: [HypothesisProblem] = []
        do {
            if let name {
                hypotheses = [try Self.hypothesis(at: Self.path(of: name, in: path))]
            } else {
                (hypotheses, problems) = try read()
            }
        } catch let error as FileError {
            throw SelectionError(
                description:
                    "the backlog cannot be read: \(error); go where it is, or make one with `windkanal new hypothesis`")
        } catch {
            throw SelectionError(description: "\(error)")
        }
        let found = hypotheses.compactMap { hypothesis in
            Self.file(experiment, in: hypothesis, isChosen: name != nil)
                .map { Destination(hypothesis: hypothesis, file: $0) }
        }
        if found.count == 1 { return found[0] }
        if found.isEmpty, !problems.isEmpty {
            throw SelectionError(
                description: "no hypothesis of '\(path)' plans '\(experiment)', but some cannot be read:\n"
                    + problems.map(\.description).joined(separator: "\n"))
        }
        let remedy = "name one with --hypothesis"
        throw SelectionError(
            description: found.isEmpty
                ? "no hypothesis of '\(path)' plans '\(experiment)'; write it under the 'experiments' of one, or \(remedy)"
                : "several hypotheses plan '\(experiment)': \(found.map(\.hypothesis.name).joined(separator: ", ")); \(remedy)"
        )
    }

    /// The hypothesis of a name or a file.
    ///
    /// - Throws: ``HypothesisError`` with everything that is wrong.
    public func hypothesis(named name: String) throws(HypothesisError) -> Hypothesis {
        try Self.hypothesis(at: Self.path(of: name, in: path))
    }

    private static func path(of name: String, in folder: String) -> String {
        if name.contains("/") || endings.contains(where: name.hasSuffix) { return name }
        let paths = endings.map { "\(folder)/\(name)\($0)" }
        return paths.first(where: Files.exists) ?? paths[0]
    }

    /// The experiment's file as a hypothesis names it; nil if the hypothesis does not, and was not chosen.
    private static func file(_ experiment: String, in hypothesis: Hypothesis, isChosen: Bool) -> String? {
        let wanted = absolute(experiment)
        let known = hypothesis.experiments.map(\.file) + hypothesis.learnings.flatMap(\.experiments)
        if let file = known.first(where: { absolute(hypothesis.path(of: $0)) == wanted }) { return file }
        return isChosen ? relative(wanted, to: absolute(hypothesis.path)) : nil
    }

    private static func absolute(_ path: String) -> String { Hypothesis.withoutDots(Files.absolute(path)) }

    /// A path as it is reached from a file's folder.
    static func relative(_ path: String, to file: String) -> String {
        let target = path.split(separator: "/")
        let folder = file.split(separator: "/").dropLast()
        let common = zip(target, folder).prefix { $0 == $1 }.count
        let up = Array(repeating: "..", count: folder.count - common)
        return (up + target[common...].map(String.init)).joined(separator: "/")
    }
}
