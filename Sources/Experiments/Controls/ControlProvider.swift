public import Documents

/// Who calls controls; where there is nobody, as in a simulation, they are left out.
public protocol ControlProvider: Sendable {
    /// Calls a function of a control.
    ///
    /// - Returns: How it ended, and what it changed.
    /// - Throws: ``ActivityError/interrupted`` when the calling task was cancelled.
    func call(_ call: ControlCall) async throws(ActivityError) -> ControlOutcome

    /// What is wrong with controls, in their order: nil where nothing is.
    func problems(of controls: [Control]) async -> [ControlProblem?]
}

/// A function of a control, and what it may ask for by the names of its parameters.
public struct ControlCall: Hashable, Sendable {
    /// Which function of the module.
    public enum Function: Hashable, Sendable {
        /// What is called once before the run.
        case configure
        /// What is called once after it.
        case cleanUp
        /// What is called around a part of it.
        case around(Control.Level, Control.Side)

        /// The function's name in the module.
        public var name: String {
            switch self {
            case .configure: "configure_control"
            case .cleanUp: "cleanup_control"
            case .around(let level, let side): "\(side.rawValue)_\(level.rawValue)_control"
            }
        }
    }

    /// What the function is called with as `context`.
    public enum Context: Hashable, Sendable {
        /// A part of the experiment, which the function may change.
        case part(Pointer)
        /// The address that the experiment is read from.
        case source(String)
    }

    /// The module that holds the function.
    public let module: String
    /// The function.
    public let function: Function
    /// The control's own arguments, with names replaced.
    public let arguments: Value.Object
    /// What it is called around.
    public let context: Context
    /// The experiment; nil before it is read.
    public let experiment: Value?
    /// The configuration's values and the secrets.
    public let scope: Scope
    /// The settings; nil if none are shown.
    public let settings: Value?
    /// What came of the part; nil before it, and if nothing did.
    public let state: Value?
    /// Whether it goes on beside others.
    public let isBackground: Bool

    /// Makes a call of its parts.
    public init(
        module: String, function: Function, arguments: Value.Object = [:], context: Context = .part(.root),
        experiment: Value? = nil, scope: Scope = Scope(), settings: Value? = nil, state: Value? = nil,
        isBackground: Bool = false
    ) {
        self.module = module
        self.function = function
        self.arguments = arguments
        self.context = context
        self.experiment = experiment
        self.scope = scope
        self.settings = settings
        self.state = state
        self.isBackground = isBackground
    }
}

/// How a call of a control ended, and what it changed.
public struct ControlOutcome: Hashable, Sendable {
    /// How a call ended.
    public enum End: Hashable, Sendable {
        /// The module has no such function.
        case absent
        /// There is no such module.
        case noModule
        /// The function returned.
        case returned
        /// The function raised an exception, which the run survives.
        case failed(String)
        /// The function asked for the end of the run.
        case interrupted(String)
    }

    /// How the call ended.
    public var end: End
    /// The experiment, if the function changed it.
    public var experiment: Value?
    /// The configuration's values, if the function changed them.
    public var configuration: Value.Object?
    /// The secrets, if the function changed them.
    public var secrets: Value.Object?
    /// What came of the part, if the function changed it.
    public var state: Value?

    /// Makes an outcome that changed nothing.
    public init(_ end: End) {
        self.end = end
    }
}

/// What is wrong with a control.
public struct ControlProblem: Hashable, Sendable {
    /// What is wrong.
    public let message: String
    /// Whether the experiment is invalid with it.
    public let isError: Bool

    /// Makes a problem of its parts.
    public init(_ message: String, isError: Bool) {
        self.message = message
        self.isError = isError
    }
}
