public import Documents

/// Who performs activities: in reality by processes and sockets, in a simulation by the simulated world.
public protocol ActivityProviders: Sendable {
    /// Performs an activity.
    ///
    /// - Parameter call: What to do, with all names replaced.
    /// - Returns: The activity's output.
    /// - Throws: ``ActivityError``; ``ActivityError/interrupted`` when the calling task was cancelled.
    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value

    /// The program that a process activity would start; nil if there is none.
    func locate(program: String) -> String?

    /// What is wrong with Python functions, in their order: nil where they can be called.
    func problems(of functions: [PythonFunction]) async -> [ActivityProblem?]

    /// What is wrong with an HTTP request, as far as that is known before it is sent; nil if nothing is.
    func problem(of request: HTTPCall) -> ActivityProblem?

    /// What kind of value a function returns; nil where that is not known.
    func outputKind(of function: PythonFunction) -> OutputKind?
}

extension ActivityProviders {
    /// Finds nothing wrong with any request.
    public func problem(of request: HTTPCall) -> ActivityProblem? { nil }

    /// Knows the kind of no output.
    public func outputKind(of function: PythonFunction) -> OutputKind? { nil }
}

/// Why an activity cannot be performed.
public struct ActivityProblem: Hashable, Sendable {
    /// What is wrong.
    public let message: String
    /// What to do.
    public let remedy: String?

    /// Makes a problem of its parts.
    public init(_ message: String, remedy: String? = nil) {
        self.message = message
        self.remedy = remedy
    }
}

/// What kind of value an activity gives.
public enum OutputKind: String, Hashable, Sendable {
    /// A number.
    case number = "a number"
    /// A boolean.
    case truth = "a boolean"
    /// Values by name.
    case object = "an object"
}

/// An activity whose names are replaced: what its provider does.
public enum ActivityCall: Hashable, Sendable {
    /// Starts a program.
    case process(ProcessCall)
    /// Sends an HTTP request.
    case http(HTTPCall)
    /// Calls a Python function.
    case python(PythonCall)
}

/// A program to start.
public struct ProcessCall: Hashable, Sendable {
    /// How a program gets its arguments.
    public enum Arguments: Hashable, Sendable {
        /// No arguments.
        case none
        /// A line for the shell, behind the program's path.
        case shell(String)
        /// Arguments that no shell sees.
        case list([String])
    }

    /// The program, as the experiment names it.
    public let path: String
    /// The program's arguments.
    public let arguments: Arguments
    /// How long it may take; nil is without limit.
    public let timeout: Duration?

    /// Makes a call of its parts.
    public init(path: String, arguments: Arguments, timeout: Duration?) {
        self.path = path
        self.arguments = arguments
        self.timeout = timeout
    }
}

/// An HTTP request to send.
public struct HTTPCall: Hashable, Sendable {
    /// Where to.
    public let url: Value
    /// The method, in the experiment's spelling.
    public let method: String
    /// The fields of the request; a value that is not a string is a mistake that shows when it is sent.
    public let headers: Value.Object
    /// The query of a GET, the body of everything else; nil if there is none.
    public let arguments: Value?
    /// How long connecting and each wait for data may take; nil is without limit, a list holds one for each.
    public let timeout: Value?
    /// Whether the server's certificate is checked.
    public let verifiesTLS: Bool
    /// How often a request that never got through is tried again.
    public let retriesMax: Int

    /// Makes a call of its parts.
    public init(
        url: Value, method: String, headers: Value.Object, arguments: Value?, timeout: Value?, verifiesTLS: Bool,
        retriesMax: Int
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.arguments = arguments
        self.timeout = timeout
        self.verifiesTLS = verifiesTLS
        self.retriesMax = retriesMax
    }
}

/// A Python function by its name.
public struct PythonFunction: Hashable, Sendable {
    /// `action` or `probe`, for messages.
    public let activityType: String
    /// The activity's name, for messages.
    public let activity: String
    /// The module.
    public let module: String
    /// The function's name in it.
    public let name: String
    /// The arguments that it will get, with names replaced as far as their values are known.
    public let arguments: Value.Object
    /// Arguments whose values are known only during the run.
    public let undecided: Set<String>

    /// Makes a function of its parts.
    public init(
        activityType: String, activity: String, module: String, name: String, arguments: Value.Object,
        undecided: Set<String> = []
    ) {
        self.activityType = activityType
        self.activity = activity
        self.module = module
        self.name = name
        self.arguments = arguments
        self.undecided = undecided
    }
}

/// A Python function to call.
public struct PythonCall: Hashable, Sendable {
    /// The module.
    public let module: String
    /// The function's name in it.
    public let function: String
    /// The function's arguments by name.
    public let arguments: Value.Object
    /// What it gets as `secrets`, if it has such a parameter; nil if the activity names no targets.
    public let secrets: Value?
    /// What it gets as `configuration`, if it has such a parameter.
    public let configuration: Value.Object
    /// Whether it goes on beside others; what does not may count on Python's main thread, which alone takes signals.
    public var isBackground: Bool = false

    /// Makes a call of its parts.
    public init(
        module: String, function: String, arguments: Value.Object, secrets: Value?, configuration: Value.Object
    ) {
        self.module = module
        self.function = function
        self.arguments = arguments
        self.secrets = secrets
        self.configuration = configuration
    }
}
