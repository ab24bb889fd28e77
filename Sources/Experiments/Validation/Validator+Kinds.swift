import Documents

/// Tolerances that ask something of an output that it cannot be asked.
extension Validator {
    /// Warns of a string or a boolean for an output that is known to be something else.
    mutating func checkKind(of tolerance: Value, against probe: Value.Object, at pointer: Pointer) {
        guard let kind = outputKind(of: probe), kind != (tolerance.bool == nil ? nil : .truth) else { return }
        // In Python, yes and no are numbers.
        if kind == .number, tolerance.bool != nil { return }
        if let text = tolerance.string, !VariableUse.all(in: text).isEmpty { return }
        add(
            .warning, "the probe gives \(kind.rawValue): \(tolerance.kind) as a tolerance is never met", pointer,
            remedy: "give the value, a range, or a jsonpath")
    }

    /// Warns of a regular expression for what is a number: the run would end without a journal.
    mutating func checkTarget(
        of tolerance: Value.Object, against probe: Value.Object, hasStatus: Bool, at pointer: Pointer
    ) {
        let target = tolerance["target"]?.string ?? ""
        switch tolerance["type"]?.string {
        case "regex":
            let kind = target.isEmpty || !hasStatus ? outputKind(of: probe) : target == "status" ? .number : nil
            guard let kind, target.isEmpty || hasStatus || kind != .object else { return }
            add(
                .warning,
                "a regular expression looks at a string, and this is \(kind.rawValue): the run would end without a journal",
                pointer, remedy: kind == .object ? "add a \"target\"" : "give the number itself, a list or a range")
        case "range":
            guard target.isEmpty, outputKind(of: probe) == .object else { return }
            add(
                .warning, "a range looks at a number, and this is an object: the run would end without a journal",
                pointer,
                remedy: "add a \"target\"")
        default: break
        }
    }

    private func outputKind(of probe: Value.Object) -> OutputKind? {
        guard let provider = probe["provider"], provider["type"] == "python", let module = provider["module"]?.string,
            let name = provider["func"]?.string
        else { return nil }
        return providers.outputKind(
            of: PythonFunction(activityType: "probe", activity: "", module: module, name: name, arguments: [:]))
    }
}
