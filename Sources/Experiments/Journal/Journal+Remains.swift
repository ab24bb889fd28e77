import Documents

extension Journal {
    /// What an interruption left behind in the system, in sentences for people; nothing where there was none.
    public var remains: [String] {
        guard status == .interrupted else { return [] }
        // One that failed or was cut short may have done half of its work.
        let done = run.filter { $0.activity["type"] == "action" }
        guard !done.isEmpty else { return ["Nothing is left behind: no action was performed"] }
        var lines: [String] = []
        let back = rollbacks.filter { $0.status == .succeeded }
        let failed = rollbacks.filter { $0.status != .succeeded }
        if !back.isEmpty { lines.append("Rolled back: \(Self.names(back.map(\.activity)))") }
        if !failed.isEmpty {
            lines.append("Not rolled back, since it failed or was cut short: \(Self.names(failed.map(\.activity)))")
        }
        guard rollbacks.isEmpty else { return lines }
        let planned = (experiment["rollbacks"]?.array ?? []).compactMap(\.object)
        let remedy =
            planned.isEmpty
            ? "the experiment has no rollbacks"
            : "--rollback-strategy always would have played \(Self.names(planned))"
        return ["Left in place is what these actions did: \(Self.names(done.map(\.activity))); \(remedy)"]
    }

    private static func names(_ activities: [Value.Object]) -> String {
        activities.map { "'\($0["name"]?.string ?? "")'" }.joined(separator: ", ")
    }
}
