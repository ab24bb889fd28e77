public import Documents

/// What came of one seed of a sweep, as a worker writes it and its parent reads it.
public struct SeedResult: Hashable, Sendable {
    /// The seed.
    public let seed: UInt64
    /// The verdict's word.
    public let verdict: String
    /// Whether it counts as a success.
    public let isSuccess: Bool
    /// Everything that is known of the run, such as its digest, its ages and what was violated.
    public let details: Value.Object

    /// Makes a result of its parts.
    public init(seed: UInt64, verdict: String, isSuccess: Bool, details: Value.Object = [:]) {
        self.seed = seed
        self.verdict = verdict
        self.isSuccess = isSuccess
        self.details = details
    }

    /// Reads a line of a worker; nil for one that is something else.
    init?(line: some Collection<UInt8>) {
        guard let value = try? JSONReader.read(line), value["event"] == "seed", let verdict = value["verdict"]?.string,
            let isSuccess = value["success"]?.bool, let seed = value["seed"]?.seed, let details = value.object
        else { return nil }
        self.init(seed: seed, verdict: verdict, isSuccess: isSuccess, details: details)
    }

    /// What a report of many seeds tells of one, as an object: of its violations the first and how many there were.
    public var shortened: Value.Object {
        let violations = details["violations"]?.array ?? []
        let first = violations.first?.object.map { violation -> Value in
            [
                "invariant": violation["invariant"] ?? .null, "time": violation["time"] ?? .null,
                "message": violation["message"] ?? .null,
            ]
        }
        return [
            "event": "seed", "seed": Value(seed: seed), "verdict": .string(verdict), "success": .bool(isSuccess),
            "ages": details["ages"] ?? .null, "digest": details["digest"] ?? .null,
            "violations": .array(first.map { [$0] } ?? []), "violation_count": .integer(violations.count),
        ]
    }

    /// The line that a worker writes: a JSON object.
    public var line: String {
        var object: Value.Object = [
            "event": "seed", "seed": Value(seed: seed), "verdict": .string(verdict), "success": .bool(isSuccess),
        ]
        for (name, value) in details where object[name] == nil { object[name] = value }
        return JSONWriter.write(.object(object))
    }
}

extension Value {
    /// The number, which may be larger than every integer of a machine.
    public init(seed: UInt64) {
        self = Int(exactly: seed).map(Value.integer) ?? .largeInteger(String(seed))
    }

    fileprivate var seed: UInt64? {
        switch self {
        case .integer(let number): UInt64(exactly: number)
        case .largeInteger(let digits): UInt64(digits)
        case .null, .bool, .real, .string, .array, .object, .date, .bytes: nil
        }
    }
}
