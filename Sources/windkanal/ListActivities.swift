import ArgumentParser
import Documents
import Faults
import PipelineTestbed
import Sessions

/// Shows what experiments can do with a simulated landscape.
struct ListActivities: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activities",
        abstract: "Shows the activities of windkanal's own: what experiments can do with a simulated landscape.",
        discussion: """
            An experiment calls them as Python functions: {"type": "python", "module": "windkanal.network", "func": "cut", \
            "arguments": {"service": "storage"}}. What they leave in place is taken back when the experiment ends.

            Examples:
              windkanal activities
              # what can be done to disks
              windkanal activities | grep -A 2 '^windkanal.disk'
            """)

    @OptionGroup var globals: GlobalOptions

    func run() throws {
        let console = ConsoleRecorder(globals.mode)
        for activity in PipelineActivities.listing {
            let arguments = activity.parameters.map { $0.isOptional ? "[\($0.name)]" : $0.name }
            var lines = [
                "\(activity.module).\(activity.function)(\(arguments.joined(separator: ", ")))",
                "    \(activity.isProbe ? "probe" : "action"): \(activity.summary)",
            ]
            lines += activity.parameters.map { "    \($0.name): \($0.meaning)" }
            console.writeResult(lines.joined(separator: "\n"), activity.json)
        }
    }
}

extension PipelineActivities.Listing {
    fileprivate var json: Value.Object {
        [
            "event": "activity", "module": .string(module), "func": .string(function),
            "type": isProbe ? "probe" : "action", "summary": .string(summary),
            "arguments": .array(
                parameters.map {
                    [
                        "name": .string($0.name), "meaning": .string($0.meaning), "optional": .bool($0.isOptional),
                    ]
                }),
        ]
    }
}
