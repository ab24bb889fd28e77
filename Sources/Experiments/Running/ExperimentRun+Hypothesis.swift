import Documents
import Durations

extension ExperimentRun {
    /// A test of the hypothesis that is made now.
    func test(in phase: Phase) -> HypothesisTest {
        HypothesisTest(
            phase: phase, iteration: phase == .during ? journal.during.count + 1 : nil,
            title: experiment["steady-state-hypothesis"]?["title"].map(PythonText.str) ?? "")
    }

    /// Tests the hypothesis, its controls around it.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` and ``ActivityError/interrupted``.
    func testHypothesis(_ test: HypothesisTest) async throws(ActivityError) -> Journal.SteadyState {
        record(.hypothesisBegan(test))
        let pointer = Pointer(tokens: ["steady-state-hypothesis"])
        var found = Journal.SteadyState()
        var hasBegun = false
        var failure: ActivityError?
        do throws(ActivityError) {
            try await call(
                plan.controls(around: .hypothesis), .hypothesis, .before, pointer, isDuring: test.phase == .during)
            hasBegun = true
            try await testProbes(of: test, &found)
        } catch {
            failure = error
        }
        let changed = try await call(
            plan.controls(around: .hypothesis), .hypothesis, .after, pointer,
            state: hasBegun ? journal.value(found) : nil, isDuring: test.phase == .during)
        if let changed { found.rewrite(as: changed) }
        if let failure { throw failure }
        return found
    }

    /// Performs the probes in order, up to the first that fails or misses its tolerance.
    private func testProbes(
        of test: HypothesisTest, _ found: inout Journal.SteadyState
    ) async throws(ActivityError) {
        var index = 0
        while let step = try step(index, of: test.phase) {
            var entry = try await perform(step, iteration: test.iteration)
            let result = try await checkTolerance(of: entry, step)
            record(.toleranceChecked(try occurrence(of: step, iteration: test.iteration), result))
            entry.toleranceMet = result.isMet
            found.probes.append(entry)
            guard result.isMet else {
                found.isMet = false
                return
            }
            index += 1
        }
        found.isMet = true
    }

    /// Compares what a probe gave with the tolerance that stands where it is declared.
    private func checkTolerance(
        of entry: Journal.Entry, _ step: Plan.Step
    ) async throws(ActivityError) -> ToleranceResult {
        if entry.status == .failed { return .probeFailed }
        guard plan.checksTolerances else { return .leftOut }
        // A control may have changed it meanwhile.
        let probe =
            Activity(experiment.document.value[step.declared.pointer], at: step.declared.pointer) ?? step.declared
        let tolerance = Tolerance(probe.tolerance)
        guard let toleranceProbe = tolerance.probe else {
            return .compared(isMet: try tolerance.isMet(by: entry.output, in: scope))
        }
        // Another probe decides: it gets the output as its argument `value`.
        guard var provider = toleranceProbe["provider"]?.object, var arguments = provider["arguments"]?.object else {
            throw .unexpected("a probe as a tolerance needs a provider with arguments")
        }
        arguments["value"] = entry.output
        provider["arguments"] = .object(arguments)
        // Journals show it.
        experiment.document.value.set(
            Pointer(tokens: probe.pointer.tokens + ["tolerance", "provider", "arguments", "value"]), to: entry.output)
        do {
            guard let call = try ActivityCall.read(provider, in: scope) else { return .compared(isMet: false) }
            return .compared(isMet: try await environment.providers.perform(call).isTruthy)
        } catch .failed(let message) {
            return .deciderFailed(message)
        } catch {
            throw error
        }
    }

    // MARK: Beside the method

    /// Begins to test the hypothesis again and again until the method has ended.
    func startContinuousHypothesis() {
        let steps = (try? plan.steps(of: .during))?.count ?? 0
        record(
            .phaseBegan(
                PhaseBeginning(phase: .during, steps: steps, frequency: options.hypothesisFrequency.inSeconds)))
        continuousHypothesis = Task { await testContinuously() }
    }

    /// Lets the test that goes on be the last.
    func endContinuousHypothesis() {
        state.endMethod()
        intervalSleep?.cancel()
    }

    private func testContinuously() async {
        while !state.isMethodOver, state.goesOn {
            let test = test(in: .during)
            do {
                let found = try await testHypothesis(test)
                journal.during.append(found)
                record(.hypothesisEnded(test, HypothesisResult(found)))
                if found.isMet != true, options.failsFast {
                    state.failFast()
                    return
                }
            } catch ActivityError.interrupted {
                // By a probe or a control: that ends the method, too.
                state.endEarly()
                return
            } catch {
                record(.hypothesisFailed(test, "\(error)"))
                state.abortFromBeside()
                return
            }
            guard !state.isMethodOver else { return }
            let sleep = Task { _ = try? await environment.sleep(options.hypothesisFrequency) }
            intervalSleep = sleep
            await sleep.value
        }
    }
}
