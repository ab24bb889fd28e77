import Documents

/// What an experiment says of how it is run.
extension Validator {
    mutating func checkStrategies(_ runtime: Value?) {
        if let runtime, runtime.isTruthy, runtime.object == nil {
            add(
                .warning, "the runtime is \(runtime.kind), not an object: the run would end without a journal",
                Pointer(tokens: ["runtime"]))
        }
        do {
            _ = try Strategies.read(settings: runtimeSettings, experiment: runtime)
        } catch {
            let names = HypothesisStrategy.allCases.map(\.rawValue).joined(separator: ", ")
            add(
                .warning, "\(error.description): the run would end without a journal",
                Pointer(tokens: ["runtime", "hypothesis", "strategy"]), remedy: "take one of \(names)")
        }
        guard let name = runtime?["rollbacks"]?["strategy"], name.isTruthy,
            name.string.flatMap(RollbackStrategy.init) == nil
        else { return }
        let names = RollbackStrategy.allCases.map(\.rawValue).joined(separator: ", ")
        add(
            .warning, "'\(PythonText.str(name))' is not a rollback strategy and is taken for never",
            Pointer(tokens: ["runtime", "rollbacks", "strategy"]), remedy: "take one of \(names)")
    }

    /// Checks what the strategies leave over.
    mutating func checkRuntime(_ runtime: Value?) {
        let pointer = Pointer(tokens: ["runtime"])
        guard let object = runtime?.object else { return }
        for name in object.keys where !["hypothesis", "rollbacks", "python"].contains(name) {
            warnOfNoEffect(name, at: pointer, known: ["hypothesis", "rollbacks", "python"])
        }
        for part in ["hypothesis", "rollbacks"] {
            for name in object[part]?.object?.keys ?? [] where name != "strategy" {
                warnOfNoEffect(name, at: pointer.appending(part), known: ["strategy"])
            }
        }
        if let python = object["python"]?.object { checkPythonRuntime(python, at: pointer.appending("python")) }
    }

    private mutating func warnOfNoEffect(_ name: String, at pointer: Pointer, known: [String]) {
        add(
            .warning, "'\(name)' has no effect here", pointer.appending(name),
            remedy: "there are \(known.joined(separator: ", ")); frequency and fail-fast are options of the command")
    }

    /// The reference installs what stands here before it runs; this command installs nothing.
    private mutating func checkPythonRuntime(_ python: Value.Object, at pointer: Pointer) {
        if let list = python["dependencies"], !list.isNull {
            let place = pointer.appending("dependencies")
            if let names = list.array {
                if names.contains(where: { ($0.string ?? "").trimmingBlanks.isEmpty }) {
                    add(.error, "runtime.python.dependencies must contain package names", place)
                }
            } else {
                add(.error, "runtime.python.dependencies must be a list", place)
            }
        }
        if let isolated = python["isolated"], isolated.bool == nil {
            add(.error, "runtime.python.isolated must be a boolean", pointer.appending("isolated"))
        }
        if let version = python["version"], !version.isNull, (version.string ?? "").trimmingBlanks.isEmpty {
            add(.error, "runtime.python.version must be a Python version", pointer.appending("version"))
        }
        let wishes =
            (python["dependencies"]?.array ?? []).map(PythonText.str)
            + (python["version"]?.string.map { ["Python \($0)"] } ?? [])
        guard !wishes.isEmpty else { return }
        add(
            .warning, "runtime.python asks for \(wishes.joined(separator: ", ")): nothing is installed", pointer,
            remedy: "name a Python that has it in WINDKANAL_PYTHON")
    }
}
