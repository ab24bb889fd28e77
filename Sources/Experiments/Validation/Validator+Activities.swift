import Documents

extension Validator {
    /// Checks an activity, in the reference's order and words.
    mutating func checkActivity(_ value: Value, at pointer: Pointer) {
        guard value.isTruthy else { return add(.error, "empty activity is no activity", pointer) }
        guard let object = value.object else {
            return add(.error, "an activity is an object, not \(value.kind)", pointer)
        }
        if let reference = object["ref"], !reference.isNull {
            if (reference.string ?? "").isEmpty {
                add(.error, "reference to activity must be non-empty strings", pointer.appending("ref"))
            }
            return
        }
        let type = object["type"]?.string ?? ""
        if !(object["type"]?.isTruthy ?? false) {
            add(.error, "an activity must have a type", pointer, remedy: "take \"action\" or \"probe\"")
        } else if type != "action", type != "probe" {
            add(
                .error, "'\(PythonText.str(object["type"] ?? .null))' is not a supported activity type",
                pointer.appending("type"), remedy: "take \"action\" or \"probe\"")
        }
        if !(object["name"]?.isTruthy ?? false) { add(.error, "an activity must have a name", pointer) }
        checkDetails(of: object, at: pointer)
        checkControls(object["controls"], at: pointer.appending("controls"))
        checkNames(of: object, known: Self.activityNames, what: "an activity", at: pointer)
        guard let provider = object["provider"], provider.isTruthy else {
            return add(.error, "an activity requires a provider", pointer)
        }
        guard let provider = provider.object else {
            return add(.error, "a provider is an object, not \(provider.kind)", pointer.appending("provider"))
        }
        checkProvider(provider, of: object, at: pointer.appending("provider"))
        checkVariables(of: object, at: pointer)
    }

    private mutating func checkDetails(of object: Value.Object, at pointer: Pointer) {
        if let timeout = object["timeout"], !timeout.isNull {
            if timeout.pythonNumber == nil {
                add(.error, "activity timeout must be a number", pointer.appending("timeout"))
            } else {
                add(
                    .warning, "a timeout of an activity has no effect", pointer.appending("timeout"),
                    remedy: "move it into the provider")
            }
        }
        for name in ["configuration", "secrets"] where object[name] != nil {
            add(
                .warning, "'\(name)' of an activity has no effect", pointer.appending(name),
                remedy: "move it into the provider")
        }
        if let pauses = object["pauses"], pauses.object == nil {
            // The reference lets nothing pass here, and aborts the method at it.
            add(
                pauses.isNull ? .warning : .error, "pauses are an object, not \(pauses.kind)",
                pointer.appending("pauses"),
                remedy: "leave them out")
        }
        for name in ["before", "after"] {
            guard let pause = object["pauses"]?[name], pause.isTruthy else { continue }
            guard case .string(let text) = pause else {
                if pause.pythonNumber == nil {
                    add(
                        .warning, "a pause is a number of seconds, not \(pause.kind): the method would be aborted",
                        Pointer(tokens: pointer.tokens + ["pauses", name]))
                }
                continue
            }
            if !(text.hasPrefix("${") && text.hasSuffix("}")) {
                add(
                    .error,
                    "activity \(name) pause must be a number or a pattern to a variable from the configuration or secrets",
                    Pointer(tokens: pointer.tokens + ["pauses", name]))
            }
        }
        if let background = object["background"], background.bool == nil {
            add(.error, "activity background must be a boolean", pointer.appending("background"))
        }
    }

    private mutating func checkProvider(_ provider: Value.Object, of activity: Value.Object, at pointer: Pointer) {
        if provider["expected_status"] != nil {
            add(
                .warning, "'expected_status' has no effect", pointer.appending("expected_status"),
                remedy: "give the probe a \"tolerance\" in the hypothesis")
        }
        switch provider["type"]?.string {
        case "process": checkProcess(provider, of: activity, at: pointer)
        case "http": checkHTTP(provider, at: pointer)
        case "python": checkPython(provider, of: activity, at: pointer)
        default:
            guard let type = provider["type"], type.isTruthy else {
                return add(.error, "a provider must have a type", pointer, remedy: "take http, process or python")
            }
            add(
                .error, "unknown provider type '\(PythonText.str(type))'", pointer.appending("type"),
                remedy: "take http, process or python")
        }
    }

    private mutating func checkProcess(_ provider: Value.Object, of activity: Value.Object, at pointer: Pointer) {
        checkNames(
            of: provider, known: ["type", "path", "arguments", "timeout", "secrets"], what: "a process", at: pointer)
        guard let path = provider["path"], path.isTruthy else {
            return add(.error, "a process activity must have a path", pointer)
        }
        guard let program = path.string, locate(program) != nil else {
            return add(
                .error,
                "path '\(PythonText.str(path))' cannot be found, in activity '\(PythonText.str(activity["name"] ?? .null))'",
                pointer.appending("path"), remedy: "give a program of PATH or the path of an executable file")
        }
        if provider["arguments"] == .null {
            add(.error, "the arguments of a process must not be null", pointer.appending("arguments"))
        }
        for (index, argument) in (provider["arguments"]?.array ?? []).enumerated() {
            guard let text = argument.string, text.contains("$(") || text.contains("`") else { continue }
            add(
                .warning, "arguments in a list go to the program as they are: no shell expands '\(text)'",
                pointer.appending("arguments").appending(index), remedy: "give all arguments as one text")
        }
    }

    private mutating func checkHTTP(_ provider: Value.Object, at pointer: Pointer) {
        checkNames(
            of: provider,
            known: [
                "type", "url", "method", "headers", "arguments", "timeout", "verify_tls", "max_retries", "secrets",
            ],
            what: "an HTTP request", at: pointer)
        if !(provider["url"]?.isTruthy ?? false) { add(.error, "a HTTP activity must have a URL", pointer) }
        if let headers = provider["headers"], headers.isTruthy, headers.object == nil {
            add(.error, "a HTTP activities expect headers as a mapping", pointer.appending("headers"))
        }
        if provider["verify_tls"]?.string != nil {
            add(
                .warning, "'verify_tls' is true or false: the certificates of a file are not read, the system's count",
                pointer.appending("verify_tls"), remedy: "make the authority known to the system")
        }
        // What the run would be told too late.
        if let call = try? ActivityCall.read(provider, in: scope), case .http(let request) = call,
            let problem = providers.problem(of: request)
        {
            add(.error, problem.message, pointer, remedy: problem.remedy)
        }
    }

    private mutating func checkPython(_ provider: Value.Object, of activity: Value.Object, at pointer: Pointer) {
        checkNames(
            of: provider, known: ["type", "module", "func", "arguments", "secrets", "timeout"],
            what: "a Python function",
            at: pointer)
        guard let module = provider["module"]?.string, !module.isEmpty else {
            return add(.error, "a Python activity must have a module path", pointer)
        }
        guard let function = provider["func"]?.string, !function.isEmpty else {
            return add(.error, "a Python activity must have a function name", pointer)
        }
        let arguments = provider["arguments"] ?? .object([:])
        guard let given = arguments.object else {
            return add(
                .error, "the arguments of a Python function are an object, not \(arguments.kind)",
                pointer.appending("arguments"))
        }
        addFunction(self.function(module, function, given, of: activity), at: pointer)
    }

    /// A function with its arguments as far as they are known.
    private func function(
        _ module: String, _ name: String, _ given: Value.Object, of activity: Value.Object
    ) -> PythonFunction {
        var arguments = given
        var undecided: Set<String> = []
        for (argument, value) in given {
            guard let text = value.string, let known = try? scope.substitute(value) else { continue }
            arguments[argument] = known
            let names = VariableUse.all(in: text).map(\.name)
            let unknown = names.filter { declaredNames.contains($0) && !scope.declares($0) }
            if !unknown.isEmpty { undecided.insert(argument) }
        }
        return PythonFunction(
            activityType: activity["type"]?.string ?? "", activity: PythonText.str(activity["name"] ?? .null),
            module: module, name: name, arguments: arguments, undecided: undecided)
    }

    // MARK: Tolerances

    /// Checks a tolerance and warns of those that can never be met.
    mutating func checkTolerance(_ tolerance: Value, of probe: Value.Object, at pointer: Pointer) {
        let provider = probe["provider"]?["type"]?.string
        let hasStatus = provider == "http" || provider == "process"
        switch tolerance {
        case .bool, .string:
            guard hasStatus else { return checkKind(of: tolerance, against: probe, at: pointer) }
            add(
                .warning,
                "an output of the provider \(provider ?? "") is an object: \(tolerance.kind) as a tolerance is never met",
                pointer, remedy: "give the status as a number, or a regex, jsonpath or range with a \"target\"")
        case .integer, .largeInteger, .array: return
        case .object(let object):
            checkTolerance(object, hasStatus: hasStatus, at: pointer)
            checkTarget(of: object, against: probe, hasStatus: hasStatus, at: pointer)
        case .null, .real, .date, .bytes:
            add(
                .error,
                "hypothesis probe tolerance must either be an integer, a string, a boolean or a pair of values for "
                    + "boundaries. It can also be a dictionary which is a probe activity definition that takes an argument "
                    + "called `value` with the value of the probe itself to be validated", pointer)
        }
    }

    private mutating func checkTolerance(_ object: Value.Object, hasStatus: Bool, at pointer: Pointer) {
        let type = object["type"]?.string
        switch type {
        case "probe":
            checkActivity(.object(object), at: pointer)
            if object["provider"]?["arguments"]?.object == nil {
                add(
                    .warning,
                    "a probe as a tolerance gets the output as its argument 'value': without arguments the run "
                        + "ends without a journal", pointer, remedy: "add \"arguments\": {} to its provider")
            }
            return
        case "regex": checkPattern(object, at: pointer)
        case "jsonpath": checkPath(object, at: pointer)
        case "range": checkRange(object, at: pointer)
        default:
            let shown = object["type"].map(PythonText.str) ?? "None"
            return add(.error, "hypothesis probe tolerance type '\(shown)' is unsupported", pointer)
        }
        if hasStatus, !(object["target"]?.isTruthy ?? false), type != "jsonpath" {
            add(
                .warning, "an output of this provider is an object: without a target the run ends without a journal",
                pointer, remedy: "add \"target\": \"body\", \"stdout\" or \"status\"")
        }
    }

    private mutating func checkPattern(_ object: Value.Object, at pointer: Pointer) {
        guard let pattern = object["pattern"] else {
            return add(.error, "hypothesis regex probe tolerance must have a `pattern` key", pointer)
        }
        guard let text = pattern.string else {
            return add(
                .error, "hypothesis probe tolerance pattern \(PythonText.str(pattern)) has an invalid type",
                pointer.appending("pattern"))
        }
        do {
            _ = try PythonRegex(text)
        } catch {
            add(
                .error, "hypothesis probe tolerance pattern \(text) seems invalid: \(error)",
                pointer.appending("pattern"))
        }
    }

    private mutating func checkPath(_ object: Value.Object, at pointer: Pointer) {
        guard let path = object["path"] else {
            return add(.error, "hypothesis jsonpath probe tolerance must have a `path` key", pointer)
        }
        guard let text = path.string else {
            return add(
                .error, "hypothesis probe tolerance path \(PythonText.str(path)) has an invalid type",
                pointer.appending("path"))
        }
        do {
            _ = try JSONPath(text)
        } catch {
            add(
                .error, "hypothesis probe tolerance JSON path \(text) is invalid: \(error)",
                pointer.appending("path"),
                remedy:
                    "paths begin with $, names stand in double quotes, filters look at the current value: [?(@.x=1)]")
        }
    }

    private mutating func checkRange(_ object: Value.Object, at pointer: Pointer) {
        guard let range = object["range"] else {
            return add(.error, "hypothesis range probe tolerance must have a `range` key", pointer)
        }
        guard let bounds = range.array, bounds.count == 2 else {
            return add(.error, "hypothesis range sequence must be made of two values", pointer.appending("range"))
        }
        for (index, name) in ["lower", "upper"].enumerated() where bounds[index].pythonNumber == nil {
            add(
                .error, "hypothesis range \(name) boundary must be a number",
                pointer.appending("range").appending(index))
        }
    }

    // MARK: Controls

    mutating func checkControls(_ controls: Value?, at pointer: Pointer) {
        guard let controls, controls.isTruthy else { return }
        for (index, value) in (controls.array ?? [controls]).enumerated() {
            let place = pointer.appending(index)
            guard let object = value.object else {
                add(.error, "a control is an object, not \(value.kind)", place)
                continue
            }
            let control = Control(object)
            if let reference = control.reference, !controlNames.contains(reference) {
                add(
                    .error, "Control reference '{}' declaration cannot be found", place,
                    remedy: "name a control of the experiment instead of '\(PythonText.str(reference))'")
            }
            guard let name = control.name, object["name"]?.isTruthy ?? false else {
                add(.error, "A control must have a `name` property", place)
                continue
            }
            if let scope = object["scope"], scope.isTruthy, control.scope == nil {
                add(
                    .error, "Control '\(name)' scope property must be 'before' or 'after' only",
                    place.appending("scope"))
            }
            guard let provider = object["provider"], provider.isTruthy else {
                add(.error, "Control '\(name)' must have a `provider` property", place)
                continue
            }
            guard provider["type"] == "python" else {
                add(.warning, "Control '\(name)' is not written in Python and has no effect", place)
                continue
            }
            guard let module = control.module, !module.isEmpty else {
                add(.error, "Control '\(name)' must have a module path", place.appending("provider"))
                continue
            }
            addControl(control, at: place)
        }
    }

    /// The names that controls can refer to.
    private var controlNames: [Value] {
        Control.declared(in: experiment).filter { $0.reference == nil }.compactMap { $0.source["name"] }
    }

    // MARK: Names

    static let experimentNames: [String] = [
        "title", "description", "method", "version", "contributions", "tags", "configuration", "secrets", "controls",
        "extensions", "steady-state-hypothesis", "rollbacks", "runtime", "dry",
    ]
    static let activityNames: [String] = [
        "type", "name", "provider", "tolerance", "pauses", "background", "controls", "ref", "timeout", "configuration",
        "secrets", "dry",
    ]

    /// Warns of names that look like a known one misspelt.
    mutating func checkNames(of object: Value.Object, known: [String], what: String, at pointer: Pointer) {
        for name in object.keys where !known.contains(name) && !name.hasPrefix("x-") {
            let close = known.filter { object[$0] == nil && Self.distance(name.lowercased(), $0) <= 2 }
            guard let meant = close.min(by: { Self.distance(name, $0) < Self.distance(name, $1) }) else { continue }
            add(
                .warning, "'\(name)' is not part of \(what) and has no effect", pointer.appending(name),
                remedy: "did you mean '\(meant)'?")
        }
    }

    /// Whether a word looks like another one misspelt.
    public static func isMisspelling(_ word: String, of other: String) -> Bool {
        word != other && distance(word.lowercased(), other) <= 2
    }

    /// How many letters must be put in, taken out or changed to make one word of another.
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard abs(left.count - right.count) <= 2 else { return 3 }
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
