import Backlog
import Documents
import Experiments
import Sessions
import Synchronization

/// Keeps what comes of a run with the hypothesis that it tries.
final class EvaluationRecorder: Sendable {
    /// What is kept of a run.
    struct Outcome {
        var verdict: String
        var seeds: String?
        var digest: String?
        var counts: [String: Int] = [:]
        var failingSeed: String?
    }

    /// The poller's profile that a run had.
    struct Profile {
        let name: String
        let isOfFile: Bool
        let isAsked: Bool
    }

    private let destination: BacklogFolder.Destination
    private let options: [String]
    private let kept: Mutex<Evaluation?> = Mutex(nil)

    /// Prepares for keeping something in a hypothesis; `options` are those that change what a verdict says.
    init(_ destination: BacklogFolder.Destination, options: [String]) {
        self.destination = destination
        self.options = options
    }

    /// Takes in the verdict of a run outside of the simulation.
    func keep(_ verdict: String) { keep(Outcome(verdict: verdict), profile: nil) }

    /// Takes in what came of a run.
    func keep(_ outcome: Outcome, profile: Profile?) {
        let name = profile.flatMap { destination.profile($0.name, isOfFile: $0.isOfFile, isAsked: $0.isAsked) }
        var evaluation = Evaluation(
            date: WallTime.iso8601(milliseconds: Machine.wallTime.components.seconds * 1000), file: destination.file,
            profile: name, verdict: outcome.verdict)
        evaluation.seeds = outcome.seeds
        evaluation.digest = outcome.digest
        for (verdict, count) in outcome.counts.sorted(by: { $0.key < $1.key }) {
            evaluation.counts[verdict] = .integer(count)
        }
        evaluation.failingSeed = outcome.failingSeed
        evaluation.options = options.isEmpty ? nil : options.joined(separator: " ")
        evaluation.build = BuildIdentity.text(version: Windkanal.version)
        kept.withLock { $0 = evaluation }
    }

    /// Writes what was taken in, and says where.
    ///
    /// - Returns: False if it could not be written; true also where a broken-off run has nothing to be written.
    func end(_ console: ConsoleRecorder) -> Bool {
        let path = destination.hypothesis.path
        guard let evaluation = kept.withLock({ $0 }), Evaluation.verdicts.contains(evaluation.verdict) else {
            console.log(.warning, "nothing is recorded in \(path): the run did not come to its end")
            return true
        }
        do {
            try BacklogFolder.record(evaluation, in: destination.hypothesis)
            console.log(.info, "Recorded in \(path): say there, behind 'learning', what this taught")
            return true
        } catch {
            console.log(.critical, error.description)
            return false
        }
    }

    /// Writes what was taken in, for a run that ended with a status.
    ///
    /// - Returns: The status; 1 if it could not be written.
    func end(_ console: ConsoleRecorder, _ status: Int32) -> Int32 { end(console) ? status : max(status, 1) }
}
