import Documents

extension ActivityCall {
    /// Reads what a provider is to do, with names replaced as the reference replaces them: always in an HTTP request's url, fields and
    /// timeout; in arguments only if there is anything to refer to; nowhere else.
    ///
    /// - Returns: What to do; nil for a provider of an unknown type, which does nothing and succeeds, as in the reference.
    /// - Throws: ``ActivityError/unexpected(_:)`` for what else validation would have refused.
    static func read(_ provider: Value.Object?, in scope: Scope) throws(ActivityError) -> ActivityCall? {
        guard let provider else { throw .unexpected("an activity needs a provider") }
        guard let type = provider["type"] else { throw .unexpected("a provider needs a type") }
        switch type.string {
        case "process": return .process(try process(provider, scope))
        case "http": return .http(try http(provider, scope))
        case "python": return .python(try python(provider, scope))
        default: return nil
        }
    }

    private static func arguments(_ provider: Value.Object, _ scope: Scope) throws(ActivityError) -> Value? {
        guard let arguments = provider["arguments"] else { return nil }
        return scope.isEmpty || !arguments.isTruthy ? arguments : try scope.substitute(arguments)
    }

    // MARK: Processes

    private static func process(_ provider: Value.Object, _ scope: Scope) throws(ActivityError) -> ProcessCall {
        guard case .string(let path)? = provider["path"] else { throw .unexpected("a process needs a path") }
        let arguments: ProcessCall.Arguments
        switch try self.arguments(provider, scope) {
        case nil: arguments = .none
        case .string(let line)?: arguments = line.isEmpty ? .none : .shell(line)
        case .array(let list)?: arguments = .list(words(list))
        case .object(let object)?:
            arguments = .list(words(object.flatMap { [.string($0.key), $0.value] }))
        case let other?: throw .unexpected("the arguments of a process cannot be \(other.kind)")
        }
        return ProcessCall(path: path, arguments: arguments, timeout: try seconds(provider["timeout"]))
    }

    /// Arguments in Python's words; what is nothing or empty is left out.
    private static func words(_ list: [Value]) -> [String] {
        list.filter { !$0.isNull && $0 != .string("") }.map(PythonText.str)
    }

    private static func seconds(_ value: Value?) throws(ActivityError) -> Duration? {
        guard let value, !value.isNull else { return nil }
        guard let seconds = value.pythonNumber else {
            throw .unexpected("a timeout is a number of seconds, not \(value.kind)")
        }
        return .seconds(clamping: seconds)
    }

    // MARK: HTTP

    private static func http(_ provider: Value.Object, _ scope: Scope) throws(ActivityError) -> HTTPCall {
        guard let url = provider["url"] else { throw .unexpected("an HTTP request needs a url") }
        var headers = Value.Object()
        if let given = provider["headers"], given.isTruthy {
            guard let object = try scope.substitute(given).object else {
                throw .unexpected("the headers of a request are an object, not \(given.kind)")
            }
            headers = object
        }
        return HTTPCall(
            url: try scope.substitute(url),
            method: provider["method"].map(PythonText.str) ?? "GET",
            headers: headers,
            arguments: try arguments(provider, scope),
            timeout: try provider["timeout"].map { value throws(ActivityError) in try scope.substitute(value) },
            verifiesTLS: provider["verify_tls"]?.isTruthy ?? true,
            retriesMax: min(10, max(0, provider["max_retries"]?.integer ?? 0)))
    }

    // MARK: Python

    private static func python(_ provider: Value.Object, _ scope: Scope) throws(ActivityError) -> PythonCall {
        guard case .string(let module)? = provider["module"] else {
            throw .unexpected("a Python function needs a module")
        }
        guard case .string(let function)? = provider["func"] else {
            throw .unexpected("a Python function needs a name, func")
        }
        var given = Value.Object()
        if let arguments = try arguments(provider, scope) {
            guard let object = arguments.object else {
                throw .unexpected("the arguments of a Python function are an object, not \(arguments.kind)")
            }
            given = object
        }
        var secrets: Value?
        if let targets = provider["secrets"], targets.isTruthy {
            var merged = Value.Object()
            for target in targets.array ?? [targets] {
                if let name = target.string, let values = scope.secrets[name]?.object {
                    merged = merged.merging(values)
                }
            }
            secrets = .object(merged)
        }
        return PythonCall(
            module: module, function: function, arguments: given, secrets: secrets, configuration: scope.configuration)
    }
}

extension Duration {
    /// A number of seconds, to the nanosecond; what is beyond 292 years is that long.
    static func seconds(clamping seconds: Double) -> Duration {
        guard seconds.isFinite else { return seconds > 0 ? .nanoseconds(Int64.max) : .zero }
        let nanoseconds = (seconds * 1e9).rounded()
        return .nanoseconds(Int64(exactly: nanoseconds) ?? (nanoseconds > 0 ? Int64.max : Int64.min + 1))
    }
}
