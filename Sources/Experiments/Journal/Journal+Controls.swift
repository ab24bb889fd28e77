import Documents

// Controls may change what came of a part. What the run goes by follows where it is understood; the rest is kept for the journal.

extension Journal.Entry {
    /// Takes over what a control made of the entry.
    mutating func rewrite(as value: Value) {
        guard let object = value.object else { return }
        rewritten = object
        output = object["output"] ?? .null
        status = object["status"]?.string.flatMap(EntryStatus.init)
        if let met = object["tolerance_met"]?.bool { toleranceMet = met }
    }
}

extension Journal.SteadyState {
    /// Takes over what a control made of the test.
    mutating func rewrite(as value: Value) {
        guard var object = value.object else { return }
        isMet = object["steady_state_met"]?.bool
        probes.rewrite(as: object["probes"]?.array ?? [])
        object["steady_state_met"] = nil
        object["probes"] = nil
        additions = object
    }
}

extension Journal {
    /// Takes over what the experiment is now.
    ///
    /// As in the reference, a journal has its own copy of the experiment's members from the beginning of the run on, and shares what is inside lists
    /// and objects: members that a control adds do not show, changes within do.
    mutating func update(_ current: Value, isBegun: Bool) {
        guard isBegun, var members = experiment.object else {
            experiment = current
            return
        }
        for (name, value) in members where value.object != nil || value.array != nil {
            if let changed = current[name] { members[name] = changed }
        }
        experiment = .object(members)
    }

    /// Takes over what a control made of the method's entries.
    mutating func rewriteRun(as values: [Value]) {
        runAdditions = Array(values.dropFirst(run.count))
        run.rewrite(as: values)
    }

    /// Takes over what a control made of the rollbacks' entries.
    mutating func rewriteRollbacks(as values: [Value]) {
        rollbackAdditions = Array(values.dropFirst(rollbacks.count))
        rollbacks.rewrite(as: values)
    }

    /// Takes over what a control made of the whole.
    mutating func rewrite(as value: Value) {
        guard let object = value.object else { return }
        rewritten = object
        if let status = object["status"]?.string.flatMap(Status.init) { self.status = status }
        if let deviated = object["deviated"]?.bool { self.deviated = deviated }
    }
}

extension [Journal.Entry] {
    /// Takes over what a control made of a list of entries; those that are gone leave the list, too.
    fileprivate mutating func rewrite(as values: [Value]) {
        if values.count < count { removeLast(count - values.count) }
        for (index, value) in values.prefix(count).enumerated() { self[index].rewrite(as: value) }
    }
}
