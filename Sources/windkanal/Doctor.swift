import ArgumentParser
import Diagnosis
import Documents
import Glibc
import Sessions

/// Looks whether the command can work here.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks whether simulations and experiments can run on this machine, and says what to do where not.",
        discussion: """
            Looks at what simulations rely on, at files, processes, ports, certificates, Python, settings and the terminal. Changes \
            nothing. Exits with 0 when everything works or only part of the command's work is impossible, with 1 when \
            simulations cannot run.

            Examples:
              windkanal doctor
              # what is wrong, for a program
              windkanal doctor --json | grep -v '"state":"fine"'
            """)

    @OptionGroup var globals: GlobalOptions

    func run() async throws {
        let environment = try globals.environment()
        let console = ConsoleRecorder(globals.mode)
        let colors = ColorChoice(environment: environment, isTerminal: isatty(1) != 0)
        let quiet = globals.quiet
        let diagnosis = Diagnosis(Diagnosis.Surroundings(environment: environment))
        let entries = await diagnosis.run { entry in
            guard !quiet || entry.state != .fine else { return }
            console.writeResult(entry.line(isColored: colors.isColored), entry.json)
        }
        let state = Diagnosis.state(of: entries)
        let count = entries.count { $0.state != .fine }
        let words =
            switch state {
            case .fine: "everything works"
            case .limited: "simulations work; \(count) of \(entries.count) checks found something missing"
            case .broken: "simulations cannot run here"
            }
        console.writeResult(
            words,
            [
                "event": "verdict", "verdict": .string(state.rawValue), "problems": .integer(count),
                "checks": .integer(entries.count),
            ])
        guard state != .broken else { throw ExitCode(1) }
    }
}

extension Diagnosis.Entry {
    /// The entry for people, with what to do below it.
    fileprivate func line(isColored: Bool) -> String {
        let (word, color) =
            switch state {
            case .fine: ("ok", "32")
            case .limited: ("missing", "33")
            case .broken: ("BROKEN", "31")
            }
        let padded = word + String(repeating: " ", count: 7 - word.count)
        let mark = isColored ? "\u{1b}[\(color)m\(padded)\u{1b}[0m" : padded
        let label = name + String(repeating: " ", count: max(0, 15 - name.count))
        return "\(mark)  \(label)  \(text)"
            + (remedy.map { "\n         \(String(repeating: " ", count: 17))-> \($0)" } ?? "")
    }
}
