import Documents

/// Follows a path through a value.
struct JSONPathEvaluation {
    /// Values that a path may lead to or pass on its way.
    static let valuesMax: Int = 1_000_000

    let root: Value
    private var visited: Int = 0

    init(root: Value) {
        self.root = root
    }

    mutating func values(of steps: ArraySlice<JSONPath.Step>, from value: Value) throws(JSONPathError) -> [Value] {
        visited += 1
        guard visited <= Self.valuesMax else { throw .tooMany(limit: Self.valuesMax) }
        guard let step = steps.first else { return [value] }
        var found: [Value] = []
        switch step {
        case .select(let selectors):
            for selector in selectors {
                for next in try select(selector, from: value) {
                    found += try values(of: steps.dropFirst(), from: next)
                }
            }
        case .descend(let selectors):
            // The value itself first, then everything inside it.
            for selector in selectors {
                for next in try select(selector, from: value) {
                    found += try values(of: steps.dropFirst(), from: next)
                }
            }
            for child in children(of: value) { found += try values(of: steps, from: child) }
        }
        return found
    }

    private func children(of value: Value) -> [Value] {
        switch value {
        case .array(let array): array
        case .object(let object): Array(object.values)
        case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: []
        }
    }

    private mutating func select(_ selector: JSONPath.Selector, from value: Value) throws(JSONPathError) -> [Value] {
        switch selector {
        case .name(let name): return value[name].map { [$0] } ?? []
        case .index(let index): return element(index, of: value)
        case .slice(let start, let end, let step): return try slice(value, start, end, step)
        case .all: return children(of: value)
        case .filter(let expression): return try holds(expression, for: value) ? [value] : []
        case .computed(let query):
            var found: [Value] = []
            for key in try values(of: query, current: value) {
                switch key {
                case .string(let name): found += value[name].map { [$0] } ?? []
                case .integer(let index): found += element(index, of: value)
                case .null, .bool, .largeInteger, .real, .array, .object, .date, .bytes: continue
                }
            }
            return found
        case .function(let function): return try call(function, on: value)
        }
    }

    private func element(_ index: Int, of value: Value) -> [Value] {
        guard let array = value.array else { return [] }
        let position = index < 0 ? array.count + index : index
        return array.indices.contains(position) ? [array[position]] : []
    }

    /// The elements of a range of indices: not quite Python's slice, for a missing end is the list's length even when the step is
    /// negative, and an end far below zero goes round.
    private func slice(_ value: Value, _ start: Int?, _ end: Int?, _ step: Int?) throws(JSONPathError) -> [Value] {
        guard let array = value.array else { return [] }
        // Wider than what a path may say, so that nothing overflows.
        let (count, step) = (Int128(array.count), Int128(step ?? 1))
        guard step != 0 else { throw .invalid("a slice's step must not be 0", position: 0) }
        let given = Int128(start ?? 0)
        var index = given < 0 ? max(0, count + given) : given
        var last = end.map { Int128($0) } ?? count
        if last < 0 { last += count }
        if step > 0 {
            last = min(last, count)
        } else {
            // The first index of the sequence that lies in the list.
            if index >= count { index -= (index - count - step) / -step * -step }
            last = max(last, -count - 1)
        }
        var found: [Value] = []
        while step > 0 ? index < last : index > last {
            let position = Int(index < 0 ? count + index : index)
            if array.indices.contains(position) { found.append(array[position]) }
            index += step
        }
        return found
    }

    // MARK: Functions

    private mutating func call(_ function: JSONPath.Function, on value: Value) throws(JSONPathError) -> [Value] {
        switch (function, value) {
        case (.length, .string(let string)): return [.integer(string.unicodeScalars.count)]
        case (.length, .array(let array)): return [.integer(array.count)]
        case (.keys, .array(let array)): return [.array(array.indices.map { .integer($0) })]
        case (.values, .array): return [value]
        case (.entries, .array(let array)):
            return [.array(array.enumerated().map { .array([.integer($0.offset), $0.element]) })]
        case (.keys, .object(let object)): return [.array(object.keys.map { .string($0) })]
        case (.values, .object(let object)): return [.array(Array(object.values))]
        case (.entries, .object(let object)):
            return [.array(object.map { .array([.string($0.key), $0.value]) })]
        case (.charAt(let operand), .string(let string)):
            let scalars = Array(string.unicodeScalars)
            return try numbers(operand, value).compactMap { index in
                let position = index < 0 ? scalars.count + index : index
                return scalars.indices.contains(position) ? .string(String(scalars[position])) : nil
            }
        case (.substring(let start, let end), .string(let string)):
            let scalars = Array(string.unicodeScalars)
            func clamp(_ index: Int) -> Int { min(max(index < 0 ? scalars.count + index : index, 0), scalars.count) }
            var ends = [scalars.count]
            if let end { ends = try numbers(end, value) }
            var found: [Value] = []
            for start in try numbers(start, value) {
                for end in ends {
                    let (first, last) = (clamp(start), clamp(end))
                    let piece = first < last ? scalars[first..<last] : []
                    found.append(.string(String(String.UnicodeScalarView(piece))))
                }
            }
            return found
        default: return []
        }
    }

    private mutating func numbers(_ operand: JSONPath.Operand, _ current: Value) throws(JSONPathError) -> [Int] {
        try values(of: operand, current: current).compactMap { value in
            value.integer ?? value.bool.map { $0 ? 1 : 0 }
        }
    }

    // MARK: Expressions

    private mutating func values(of query: JSONPath.Query, current: Value) throws(JSONPathError) -> [Value] {
        try values(of: query.steps[...], from: query.isFromRoot ? root : current)
    }

    private mutating func values(of operand: JSONPath.Operand, current: Value) throws(JSONPathError) -> [Value] {
        switch operand {
        case .literal(let value): [value]
        case .query(let query): try values(of: query, current: current)
        }
    }

    private mutating func holds(_ expression: JSONPath.Expression, for current: Value) throws(JSONPathError) -> Bool {
        switch expression {
        case .and(let parts):
            for part in parts where try !holds(part, for: current) { return false }
            return true
        case .or(let parts):
            for part in parts where try holds(part, for: current) { return true }
            return false
        case .not(let expression): return try !holds(expression, for: current)
        case .exists(.literal(let value)): return value.isTruthy
        case .exists(.query(let query)): return try !values(of: query, current: current).isEmpty
        case .compare(let left, let comparison, let right): return try compare(left, comparison, right, current)
        }
    }

    private mutating func compare(
        _ left: JSONPath.Operand, _ comparison: JSONPath.Comparison, _ right: JSONPath.Operand, _ current: Value
    ) throws(JSONPathError) -> Bool {
        let others = try values(of: right, current: current)
        for value in try values(of: left, current: current) {
            for other in others where Self.holds(value, comparison, other) { return true }
        }
        return false
    }

    private static func holds(_ left: Value, _ comparison: JSONPath.Comparison, _ right: Value) -> Bool {
        switch comparison {
        case .equal: return left.equalsInPython(right)
        case .notEqual: return !left.equalsInPython(right)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            switch left.comparedAsNumber(right) {
            case nil, .unordered?: return false
            case .less?: return comparison == .less || comparison == .lessOrEqual
            case .same?: return comparison == .lessOrEqual || comparison == .greaterOrEqual
            case .greater?: return comparison == .greater || comparison == .greaterOrEqual
            }
        }
    }
}
