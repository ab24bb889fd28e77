import Documents

extension ExperimentRun {
    // MARK: Around parts

    /// Calls the controls of a part on one side of it; what a control cannot do is recorded, and changes nothing.
    ///
    /// - Parameters:
    ///   - controls: The controls, in their order.
    ///   - level: What they are called around.
    ///   - side: The side.
    ///   - pointer: Where the part stands in the experiment.
    ///   - result: What came of the part; nil before it, and if nothing did.
    ///   - isBackground: Whether the part goes on beside others.
    ///   - isDuring: Whether it belongs to a test beside the method.
    /// - Returns: What came of the part as the controls left it; nil if they left it as it was.
    /// - Throws: ``ActivityError/interrupted`` when a control, or whoever interrupts the run, asks for its end.
    @discardableResult
    func call(
        _ controls: [Control], _ level: Control.Level, _ side: Control.Side, _ pointer: Pointer,
        state result: Value? = nil, isBackground: Bool = false, isDuring: Bool = false
    ) async throws(ActivityError) -> Value? {
        guard let provider = environment.controls else { return nil }
        var changed: Value?
        for control in controls where control.scope == nil || control.scope == side {
            let outcome = try await outcome(
                of: .around(level, side), of: control, by: provider, pointer, changed ?? result,
                isBackground || isDuring)
            if let state = outcome.state { changed = state }
            if recordEnd(outcome, of: .around(level, side), of: control, isDuring: isDuring) {
                throw .interrupted
            }
        }
        return changed
    }

    /// Records how a call ended; whether it asks for the end of the run.
    private func recordEnd(
        _ outcome: ControlOutcome, of function: ControlCall.Function, of control: Control, isDuring: Bool = false
    ) -> Bool {
        // That a module is missing is said once.
        guard outcome.end != .absent, outcome.end != .noModule || function == .configure else { return false }
        record(
            .controlCalled(
                ControlOccurrence(
                    name: control.name ?? "", function: function, end: outcome.end, isDuring: isDuring)))
        if case .interrupted = outcome.end { return true }
        return false
    }

    // MARK: Around the run

    /// Lets controls prepare themselves: those of the settings first, without those from then on that cannot.
    func configureControls() async {
        guard let provider = environment.controls else { return }
        var configured: [Control] = []
        for control in globalControls where await configure(control, provider) { configured.append(control) }
        if configured.count != globalControls.count {
            globalControls = configured
            replan()
        }
        for control in Control.all(of: experiment) { _ = await configure(control, provider) }
    }

    private func configure(_ control: Control, _ provider: any ControlProvider) async -> Bool {
        do {
            let outcome = try await outcome(of: .configure, of: control, by: provider, .root, nil, false)
            _ = recordEnd(outcome, of: .configure, of: control)
            switch outcome.end {
            case .absent, .returned: return true
            case .failed, .interrupted, .noModule: return false
            }
        } catch {
            return false
        }
    }

    /// Calls the experiment's controls behind its end and lets all of them clean up.
    func endControls() async {
        guard let provider = environment.controls else { return }
        do {
            let changed = try await call(
                plan.controls(around: .experiment), .experiment, .after, .root, state: journal.value)
            if let changed { journal.rewrite(as: changed) }
        } catch {
            // The run has ended.
        }
        for control in Control.all(of: experiment) + globalControls {
            guard let outcome = try? await outcome(of: .cleanUp, of: control, by: provider, .root, nil, false) else {
                return
            }
            _ = recordEnd(outcome, of: .cleanUp, of: control)
        }
    }

    // MARK: Calling

    /// Calls a function of a control and takes over what it changed.
    private func outcome(
        of function: ControlCall.Function, of control: Control, by provider: any ControlProvider, _ pointer: Pointer,
        _ state: Value?, _ isBackground: Bool
    ) async throws(ActivityError) -> ControlOutcome {
        guard let module = control.module else { return ControlOutcome(.absent) }
        // Behind what was cut short controls are called nevertheless.
        let wasCut = Task.isCancelled
        let previous = controlCalls.last
        let task = Task {
            // One after the other: each sees what the one before it changed.
            _ = try? await previous?.value
            return try await callNow(function, of: control, in: module, by: provider, pointer, state, isBackground)
        }
        controlCalls.append(task)
        defer { controlCalls.removeAll { $0 == task } }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                if !wasCut { task.cancel() }
            }
        } catch {
            throw .interrupted
        }
    }

    private func callNow(
        _ function: ControlCall.Function, of control: Control, in module: String, by provider: any ControlProvider,
        _ pointer: Pointer, _ state: Value?, _ isBackground: Bool
    ) async throws(ActivityError) -> ControlOutcome {
        var arguments = control.arguments
        if case .around = function, !scope.isEmpty {
            do {
                arguments = try scope.substitute(.object(arguments)).object ?? [:]
            } catch {
                return ControlOutcome(.failed(error.description))
            }
        }
        let outcome = try await provider.call(
            ControlCall(
                module: module, function: function, arguments: arguments, context: .part(pointer),
                experiment: experiment.document.value, scope: scope, settings: options.settings, state: state,
                isBackground: isBackground))
        take(outcome)
        return outcome
    }

    private func take(_ outcome: ControlOutcome) {
        if let configuration = outcome.configuration { scope.configuration = configuration }
        if let secrets = outcome.secrets {
            scope.secrets = secrets
            redactSecrets()
        }
        if let changed = outcome.experiment {
            experiment.document.value = changed
            replan()
        }
    }

    private func replan() {
        plan = Plan(experiment, strategies: plan.strategies, dry: options.dry, controls: globalControls)
    }
}
