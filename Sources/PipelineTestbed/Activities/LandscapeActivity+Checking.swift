import Documents

extension LandscapeActivity {
    /// What is wrong with a call of it; nil if nothing is.
    ///
    /// - Parameters:
    ///   - arguments: What it is given.
    ///   - undecided: Arguments whose values only the run will tell.
    ///   - map: The landscape that it is called in; nil where that is not known.
    /// - Returns: What is wrong, in words.
    func problem(of arguments: Value.Object, undecided: Set<String> = [], in map: LandscapeMap?) -> String? {
        let known = self.arguments.map(\.name)
        if let unknown = arguments.keys.first(where: { !known.contains($0) }) {
            return
                "\(module).\(function) has no argument '\(unknown)'; it has \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        }
        if let missing = self.arguments.first(where: { !$0.isOptional && arguments[$0.name] == nil }) {
            return "\(module).\(function) needs the argument '\(missing.name)': \(missing.meaning)"
        }
        if let map, needsPersistence, map.services.isEmpty {
            return
                "\(module).\(function) needs a landscape with 'persistence': without it nothing is kept that could be lost"
        }
        for argument in self.arguments where !undecided.contains(argument.name) {
            guard let value = arguments[argument.name] else { continue }
            if let problem = argument.kind.problem(of: value, in: map) {
                return "the argument '\(argument.name)' of \(module).\(function) \(problem)"
            }
        }
        guard undecided.isEmpty else { return nil }
        return problemOfTogether(arguments)
    }

    private var needsPersistence: Bool { module != "windkanal.network" }

    /// What is wrong with arguments of which each is right.
    private func problemOfTogether(_ arguments: Value.Object) -> String? {
        if let other = arguments["other"]?.string, arguments["service"]?.string == other {
            return "the arguments 'service' and 'other' of \(module).\(function) are the same machine"
        }
        if module == "windkanal.disk", function == "fail", arguments.dropFirst().allSatisfy({ $0.value.number == 0 }) {
            return "\(module).\(function) is given no reads, writes or syncs above 0: nothing would fail"
        }
        return nil
    }
}

extension LandscapeActivity.Argument.Kind {
    /// The longest that an activity may be told to take, in seconds.
    private static let secondsMax: Double = 86_400
    /// The most bytes that are told of.
    private static let bytesMax: Int = 1 << 50
    /// The smallest share that is not none.
    private static let ratioMin: Double = 0.000_001

    fileprivate func problem(of value: Value, in map: LandscapeMap?) -> String? {
        switch self {
        case .service:
            return name(value, map?.services, "service")
        case .machine:
            return name(value, map?.machines, "machine")
        case .otherMachine: return value.isNull ? nil : name(value, map?.machines, "machine")
        case .seconds: return seconds(value)
        case .secondsOrNull: return value.isNull ? nil : seconds(value)
        case .bytes:
            guard let count = value.integer, (0...Self.bytesMax).contains(count) else {
                return "is a whole number from 0 to 2^50, not \(Self.shown(value))"
            }
            return nil
        case .ratio:
            guard let number = value.number, number == 0 || (Self.ratioMin...1).contains(number) else {
                return "is 0, or a number from 0.000001 to 1, not \(Self.shown(value))"
            }
            return nil
        }
    }

    private func name(_ value: Value, _ known: [String]?, _ what: String) -> String? {
        guard let text = value.string else { return "is a text, not \(Self.shown(value))" }
        guard let known, !known.contains(text) else { return nil }
        return "names the \(what) '\(text)', which is not there; there are \(known.sorted().joined(separator: ", "))"
    }

    private func seconds(_ value: Value) -> String? {
        guard let seconds = value.number, (0...Self.secondsMax).contains(seconds) else {
            return "is a number of seconds from 0 to 86400, not \(Self.shown(value))"
        }
        return nil
    }

    private static func shown(_ value: Value) -> String { JSONWriter.write(value) }
}
