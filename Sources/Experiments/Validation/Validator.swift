public import Documents

/// Finds everything that is wrong with an experiment, in the reference's order.
///
/// What the reference refuses, or dies of, is an error; what it ignores without a word is a warning.
public struct Validator {
    let experiment: Experiment
    let providers: any ActivityProviders
    private let controlProvider: (any ControlProvider)?
    private let reader: ConfigurationReader
    /// Names that the configuration and the secrets declare.
    let declaredNames: Set<String>
    /// The values of those that are known before the run.
    let scope: Scope
    private let variables: Variables
    let runtimeSettings: Value?
    var findings: [Finding] = []
    /// Functions to look up together at the end: asking Python takes its time.
    private var functions: [(function: PythonFunction, pointer: Pointer)] = []
    /// Controls to look up together, likewise.
    private var controls: [(control: Control, pointer: Pointer)] = []

    /// Prepares a validation.
    ///
    /// - Parameters:
    ///   - experiment: What to look at.
    ///   - providers: Who would perform its activities.
    ///   - controls: Who would call its controls; nil leaves them out, and says so.
    ///   - environment: The process' environment.
    ///   - variables: What the caller sets; as in the reference, only variables of the environment count for validity.
    ///   - runtimeSettings: The `runtime` part of the settings.
    public init(
        _ experiment: Experiment, providers: any ActivityProviders, controls: (any ControlProvider)? = nil,
        environment: [String: String] = [:],
        variables: Variables = Variables(), runtimeSettings: Value? = nil
    ) {
        self.experiment = experiment
        self.providers = providers
        controlProvider = controls
        self.variables = variables
        self.runtimeSettings = runtimeSettings
        reader = ConfigurationReader(
            variables: Variables(environment: variables.environment), environment: environment)
        declaredNames = Self.declaredNames(of: experiment)
        scope = ConfigurationReader(variables: variables, environment: environment).known(of: experiment)
    }

    private static func declaredNames(of experiment: Experiment) -> Set<String> {
        var names = Set((experiment["configuration"]?.object ?? [:]).keys)
        for target in experiment["secrets"]?.object?.values ?? [] { names.formUnion((target.object ?? [:]).keys) }
        return names
    }

    /// Whether the environment has a variable.
    func isInEnvironment(_ name: String) -> Bool { reader.variable(name) != nil }

    /// All findings.
    public mutating func validate() async -> [Finding] {
        guard experiment.document.value.isTruthy else {
            add(.error, "an empty experiment is not an experiment", .root)
            return findings
        }
        guard let object = experiment.document.value.object else {
            add(.error, "an experiment is an object, not \(experiment.document.value.kind)", .root)
            return findings
        }
        checkHead(object)
        checkVariables(ofTitle: object["title"])
        checkConfiguration()
        checkHypothesis(object["steady-state-hypothesis"])
        checkMethod(object)
        checkRollbacks(object["rollbacks"])
        if object["controls"] == .null {
            add(.error, "controls are a list, not null", Pointer(tokens: ["controls"]), remedy: "leave them out")
        }
        checkControls(object["controls"], at: Pointer(tokens: ["controls"]))
        checkStrategies(object["runtime"])
        checkRuntime(object["runtime"])
        checkNames(of: object, known: Self.experimentNames, what: "an experiment", at: .root)
        warnOfVariables(object["configuration"]?.object ?? [:])
        await checkFunctions()
        await checkControls()
        return findings
    }

    // MARK: Head

    private mutating func checkHead(_ object: Value.Object) {
        if !(object["title"]?.isTruthy ?? false) {
            add(.error, "experiment requires a title", .root, remedy: "add \"title\": \"...\"")
        }
        if !(object["description"]?.isTruthy ?? false) {
            add(.error, "experiment requires a description", .root, remedy: "add \"description\": \"...\"")
        }
        if let tags = object["tags"], tags.isTruthy {
            let list = tags.array ?? [tags]
            for (index, tag) in list.enumerated() where !(tag.string?.isTruthyText ?? false) {
                add(.error, "experiment tags must be a non-empty string", Pointer(tokens: ["tags", String(index)]))
            }
        }
        guard let extensions = object["extensions"], extensions.isTruthy else { return }
        for (index, value) in (extensions.array ?? [extensions]).enumerated() {
            let name = value["name"]?.string ?? ""
            if name.trimmingBlanks.isEmpty {
                add(.error, "All extensions require a non-empty name", Pointer(tokens: ["extensions", String(index)]))
            }
        }
    }

    private mutating func checkConfiguration() {
        check(experiment["configuration"], "configuration") { reader, definitions throws(ConfigurationReader.Problem) in
            _ = try reader.configuration(definitions)
        }
        check(experiment["secrets"], "secrets") { reader, definitions throws(ConfigurationReader.Problem) in
            _ = try reader.secrets(definitions)
        }
        for (target, values) in experiment["secrets"]?.object ?? [:] where values.object == nil {
            add(
                .error, "the secrets' target '\(target)' is \(values.kind), not an object",
                Pointer(tokens: ["secrets", target]), remedy: "write {\"\(target)\": {\"name\": ...}}")
        }
    }

    /// Checks definitions one by one, so that each that is wrong is named.
    private mutating func check(
        _ definitions: Value?, _ name: String,
        _ read: (ConfigurationReader, Value) throws(ConfigurationReader.Problem) -> Void
    ) {
        guard let definitions else { return }
        guard let object = definitions.object else {
            return add(.error, "\(name) is an object, not \(definitions.kind)", Pointer(tokens: [name]))
        }
        for (key, definition) in object {
            do {
                try read(reader, .object([key: definition]))
            } catch {
                add(
                    .error, error.description, Pointer(tokens: [name, key]),
                    remedy: error.isMissingVariable ? "set the variable or give a \"default\"" : nil)
            }
            if definition["type"] == "probe", definition["provider"]?.object == nil {
                add(
                    .warning, "a dynamic value needs a provider: the run would end without a journal",
                    Pointer(tokens: [name, key]))
            }
        }
    }

    private mutating func warnOfVariables(_ declared: Value.Object) {
        for key in variables.configuration.keys where declared[key] == nil {
            add(
                .warning, "the variable '\(key)' is set, but the configuration does not declare it: it has no effect",
                Pointer(tokens: ["configuration"]), remedy: "declare '\(key)' under \"configuration\"")
        }
    }

    // MARK: Parts

    private mutating func checkHypothesis(_ hypothesis: Value?) {
        guard let hypothesis else { return }
        let pointer = Pointer(tokens: ["steady-state-hypothesis"])
        guard let object = hypothesis.object else {
            return add(
                .error, "a hypothesis is an object, not \(hypothesis.kind)", pointer,
                remedy: "leave it out to have none")
        }
        if !(object["title"]?.isTruthy ?? false) { add(.error, "hypothesis requires a title", pointer) }
        checkControls(object["controls"], at: pointer.appending("controls"))
        checkNames(of: object, known: ["title", "probes", "controls"], what: "a hypothesis", at: pointer)
        guard let probes = object["probes"] else { return }
        guard let list = probes.array else {
            return add(.error, "probes are a list, not \(probes.kind)", pointer.appending("probes"))
        }
        for (index, probe) in list.enumerated() { checkProbe(probe, at: pointer.appending("probes").appending(index)) }
    }

    private mutating func checkProbe(_ value: Value, at pointer: Pointer) {
        checkActivity(value, at: pointer)
        guard let object = value.object, !object.isEmpty else { return }
        if let reference = object["ref"]?.string, !reference.isEmpty, experiment.activity(named: reference) == nil {
            add(
                .warning, "could not find referenced activity '\(reference)': the run would end without a journal",
                pointer,
                remedy: "name an activity of the method")
        }
        guard let tolerance = object["tolerance"] else {
            return add(
                .error, "hypothesis probe must have a tolerance entry", pointer,
                remedy: "say what the output must be, such as \"tolerance\": 200")
        }
        checkTolerance(tolerance, of: object, at: pointer.appending("tolerance"))
    }

    private mutating func checkMethod(_ object: Value.Object) {
        guard let method = object["method"] else {
            return add(.error, "an experiment requires a method", .root, remedy: "add \"method\": []")
        }
        guard let list = method.array else {
            return add(.error, "a method is a list of activities, not \(method.kind)", Section.method.pointer)
        }
        for (index, value) in list.enumerated() {
            let pointer = Section.method.pointer.appending(index)
            checkActivity(value, at: pointer)
            warnOfTolerance(value, at: pointer)
            if let reference = value["ref"]?.string, !reference.isEmpty, experiment.activity(named: reference) == nil {
                add(
                    .error, "could not find referenced activity '\(reference)'", pointer,
                    remedy: "name an activity of the method or a probe of the hypothesis")
            }
        }
    }

    private mutating func checkRollbacks(_ rollbacks: Value?) {
        guard let rollbacks else { return }
        guard let list = rollbacks.array else {
            if !rollbacks.isTruthy, !rollbacks.isNull { return }
            return add(.error, "rollbacks are a list, not \(rollbacks.kind)", Section.rollbacks.pointer)
        }
        for (index, value) in list.enumerated() {
            let pointer = Section.rollbacks.pointer.appending(index)
            checkActivity(value, at: pointer)
            warnOfTolerance(value, at: pointer)
            if let reference = value["ref"]?.string, !reference.isEmpty, experiment.activity(named: reference) == nil {
                add(
                    .warning, "could not find referenced activity '\(reference)': the run would end without a journal",
                    pointer, remedy: "name an activity of the method; rollbacks cannot be referred to")
            }
        }
    }

    private mutating func warnOfTolerance(_ value: Value, at pointer: Pointer) {
        guard value["tolerance"] != nil else { return }
        add(
            .warning, "a tolerance is looked at in the hypothesis only: here it has no effect",
            pointer.appending("tolerance"), remedy: "move the probe to the hypothesis")
    }

    // MARK: Python

    mutating func addFunction(_ function: PythonFunction, at pointer: Pointer) {
        functions.append((function, pointer))
    }

    private mutating func checkFunctions() async {
        guard !functions.isEmpty else { return }
        let problems = await providers.problems(of: functions.map(\.function))
        for (entry, problem) in zip(functions, problems) {
            if let problem { add(.error, problem.message, entry.pointer, remedy: problem.remedy) }
        }
    }

    mutating func addControl(_ control: Control, at pointer: Pointer) {
        controls.append((control, pointer))
    }

    private mutating func checkControls() async {
        guard !controls.isEmpty else { return }
        guard let controlProvider else {
            for entry in controls {
                add(
                    .warning,
                    "Control '\(entry.control.name ?? "")' is written in Python, and nothing outside the simulation runs in it: it has no effect",
                    entry.pointer,
                    remedy: "run the experiment without a landscape if its outcome depends on the control")
            }
            return
        }
        let problems = await controlProvider.problems(of: controls.map(\.control))
        for (entry, problem) in zip(controls, problems) {
            if let problem { add(problem.isError ? .error : .warning, problem.message, entry.pointer) }
        }
    }

    func locate(_ program: String) -> String? { providers.locate(program: program) }

    // MARK: Findings

    mutating func add(
        _ severity: Finding.Severity, _ message: String, _ pointer: Pointer, remedy: String? = nil
    ) {
        findings.append(
            Finding(severity, message, at: pointer, remedy: remedy, place: experiment.document.place(of: pointer)))
    }
}

extension ConfigurationReader.Problem {
    fileprivate var isMissingVariable: Bool {
        if case .missingVariable = self { true } else { false }
    }
}

extension String {
    fileprivate var isTruthyText: Bool { !isEmpty }
}
