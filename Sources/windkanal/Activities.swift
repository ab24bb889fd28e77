import ArgumentParser
import PipelineTestbed
import RealWorld

/// Shows what experiments can do with a simulated landscape.
struct Activities: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the activities of windkanal's own: what experiments can do with a simulated landscape.",
        discussion: """
            An experiment calls them as Python functions: {"type": "python", "module": "windkanal.network", "func": "cut", \
            "arguments": {"service": "storage"}}. What they leave in place is taken back when the experiment ends.
            """)

    func run() {
        for activity in LandscapeActivity.all {
            let arguments = activity.arguments.map { $0.isOptional ? "[\($0.name)]" : $0.name }
            print("\(activity.module).\(activity.function)(\(arguments.joined(separator: ", ")))")
            print("    \(activity.isProbe ? "probe" : "action"): \(activity.summary)")
            for argument in activity.arguments { print("    \(argument.name): \(argument.meaning)") }
        }
    }
}
