import Documents

extension ExperimentRun {
    /// Reads what the experiment and the settings say of the run, and plans it.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` for what the reference dies of, ``ActivityError/interrupted``.
    func prepare() async throws(ActivityError) {
        try checkStructure()
        experiment.document.value.set(
            Pointer(tokens: ["dry"]), to: options.dry.map { .string($0.rawValue) } ?? .null)
        var strategies = try Strategies.read(settings: options.runtimeSettings, experiment: experiment["runtime"])
        strategies.hypothesis = options.hypothesisStrategy ?? strategies.hypothesis
        strategies.rollbacks = options.rollbackStrategy ?? strategies.rollbacks
        let reader = ConfigurationReader(variables: options.variables, environment: environment.variables)
        let dynamic: [ConfigurationReader.DynamicKey]
        do {
            (scope.configuration, dynamic) = try reader.configuration(experiment["configuration"])
            scope.secrets = try reader.secrets(experiment["secrets"])
        } catch {
            throw .unexpected("\(error)")
        }
        redactSecrets()
        for key in dynamic { try await find(key) }
        if let title = experiment["title"] {
            experiment.document.value.set(Pointer(tokens: ["title"]), to: try scope.substitute(title))
        }
        plan = Plan(experiment, strategies: strategies, dry: options.dry, controls: globalControls)
    }

    /// Refuses what the reference dies of: it looks through all activities before it begins.
    private func checkStructure() throws(ActivityError) {
        for section in [Section.method, .hypothesis, .rollbacks] {
            guard let value = experiment.document.value[section.pointer] else { continue }
            // Of rollbacks only their absence is looked at.
            if section == .rollbacks {
                if value.isNull { throw .unexpected("rollbacks are null, not a list") }
                continue
            }
            guard let list = value.array else {
                throw .unexpected("\(section.pointer) is \(value.kind), not a list")
            }
            for (index, element) in list.enumerated() where element.object == nil {
                throw .unexpected("\(section.pointer.appending(index)) is \(element.kind), not an activity")
            }
        }
        for name in ["steady-state-hypothesis", "controls"] where experiment[name]?.isNull ?? false {
            throw .unexpected("\(name) is null")
        }
        if let runtime = experiment["runtime"], runtime.isTruthy, runtime.object == nil {
            throw .unexpected("the runtime is \(runtime.kind), not an object")
        }
        for name in ["hypothesis", "rollbacks"] {
            guard let part = experiment["runtime"]?[name], part.object == nil else { continue }
            throw .unexpected("the runtime's \(name) is \(part.kind), not an object")
        }
    }

    /// Lets a probe find a value of the configuration; a probe that fails leaves the key out.
    private func find(_ key: ConfigurationReader.DynamicKey) async throws(ActivityError) {
        guard var provider = key.probe["provider"]?.object else { throw .unexpected("an activity needs a provider") }
        guard provider["type"] != nil else { throw .unexpected("a provider needs a type") }
        // Such a probe is shown all secrets, whatever it names.
        provider["secrets"] = .array(scope.secrets.keys.map(Value.string))
        var visible = scope
        for name in scope.configuration.keys where !key.visible.contains(name) { visible.configuration[name] = nil }
        do throws(ActivityError) {
            guard let call = try ActivityCall.read(provider, in: visible) else { return }
            let output = try await environment.providers.perform(call)
            switch call {
            case .process:
                guard output["status"] == .integer(0) else {
                    throw ActivityError.failed("its process returned an error")
                }
                scope.configuration[key.key] = .string(String((output["stdout"]?.string ?? "").trimmingBlanks))
            case .http: scope.configuration[key.key] = output["body"] ?? .null
            case .python: scope.configuration[key.key] = output
            }
        } catch .interrupted {
            throw .interrupted
        } catch {
            record(.warning(.valueNotFound(key: key.key, reason: error.description)))
        }
    }
}
