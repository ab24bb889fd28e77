public import Documents

/// A control as a file declares it: a Python module whose functions are called around the parts of a run.
public struct Control: Hashable, Sendable {
    /// What a control is called around.
    public enum Level: String, Hashable, Sendable {
        /// Reading the experiment.
        case loader = "loading_experiment"
        /// The run as a whole.
        case experiment
        /// A test of the hypothesis.
        case hypothesis
        /// The method.
        case method
        /// All rollbacks.
        case rollback
        /// A single activity.
        case activity
    }

    /// The side of a part on which a control is called.
    public enum Side: String, Hashable, Sendable {
        /// Before the part.
        case before
        /// After it, however it ended.
        case after
    }

    /// What stands in the file.
    public let source: Value.Object

    /// Takes what a file declares.
    public init(_ source: Value.Object) {
        self.source = source
    }

    /// The name, in Python's words if it is not a string; nil if there is none.
    public var name: String? { source["name"].map(PythonText.str) }

    /// The only side that the control is called on; nil is both.
    public var scope: Side? { source["scope"]?.string.flatMap(Side.init) }

    /// Whether a control of the experiment is called around its parts, too.
    public var isAutomatic: Bool { source["automatic"]?.isTruthy ?? true }

    /// The name of the experiment's control that this one stands for.
    public var reference: Value? { source["ref"] }

    /// The module that holds the functions; nil for a control that is not written in Python.
    public var module: String? {
        source["provider"]?["type"] == "python" ? source["provider"]?["module"]?.string : nil
    }

    /// What its functions are given besides the run's own values.
    public var arguments: Value.Object { source["provider"]?["arguments"]?.object ?? [:] }

    /// The controls of a part; what is not an object is left out.
    static func declared(in value: Value?) -> [Control] {
        (value?["controls"]?.array ?? []).compactMap { $0.object.map(Control.init) }
    }

    /// The controls of a settings' part or of a file of controls, which give each by its name.
    public static func global(_ value: Value?) -> [Control] {
        (value?.object ?? [:]).compactMap { name, definition in
            guard var source = definition.object else { return nil }
            source["name"] = .string(name)
            return Control(source)
        }
    }

    /// All controls that an experiment declares, at all of its parts.
    static func declared(in experiment: Experiment) -> [Control] {
        var parts = [experiment.document.value, experiment["steady-state-hypothesis"] ?? .null]
        for section in [Section.hypothesis, .method, .rollbacks] {
            parts += experiment.document.value[section.pointer]?.array ?? []
        }
        return parts.flatMap { declared(in: $0) }
    }

    /// The controls that an experiment declares, the first of each name.
    static func all(of experiment: Experiment) -> [Control] {
        var seen: Set<String> = []
        return declared(in: experiment).filter { control in
            control.name.map { seen.insert($0).inserted } ?? false
        }
    }

    /// The controls that are called around a part, in their order.
    ///
    /// Global controls come first, then the part's own; the experiment's automatic ones go before those of a hypothesis and of an activity.
    /// As in the reference, only the experiment's automatic ones are called around the method and the rollbacks if it has any.
    ///
    /// - Parameters:
    ///   - level: What the part is.
    ///   - part: The part as it stands in the experiment.
    ///   - experiment: The experiment.
    ///   - global: The controls of the settings and of files.
    /// - Returns: The controls; one that stands there twice is called twice.
    static func around(
        _ level: Level, _ part: Value?, of experiment: Experiment, global: [Control]
    ) -> [Control] {
        var controls = global + declared(in: part)
        let top = declared(in: experiment.document.value)
        guard !top.isEmpty else { return controls }
        if controls.isEmpty || level == .method || level == .rollback { return top.filter(\.isAutomatic) }
        for control in controls {
            if let reference = control.reference {
                if let target = top.first(where: { $0.source["name"] == reference }) { controls.append(target) }
            } else if level != .experiment {
                let others = top.filter { $0.isAutomatic && $0.source["name"] != control.source["name"] }
                controls.insert(contentsOf: others, at: 0)
            }
        }
        return controls
    }
}
