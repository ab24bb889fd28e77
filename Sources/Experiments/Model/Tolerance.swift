public import Documents

/// What the output of a hypothesis' probe must be.
///
/// The reference's rules, on values as Python compares them: an output with a `status` is compared by it, others as a whole.
public struct Tolerance: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        case bool(Bool)
        case integer(Value)
        case text(String)
        case list([Value])
        case regex(pattern: Value?, target: Value?)
        case jsonPath(path: Value?, target: Value?, count: Value?, expect: Value?)
        case range(Value?, target: Value?)
        /// A further probe decides, which gets the output as its argument `value`.
        case probe(Value.Object)
        /// No output is within the tolerance.
        case never
    }

    let form: Form

    /// Reads a tolerance; what validation refuses is met by nothing.
    public init(_ value: Value?) {
        switch value {
        case .bool(let bool)?: form = .bool(bool)
        case .integer?, .largeInteger?: form = .integer(value ?? .null)
        case .string(let text)?: form = .text(text)
        case .array(let list)?: form = .list(list)
        case .object(let object)?:
            let target = object["target"]
            switch object["type"]?.string {
            case "regex": form = .regex(pattern: object["pattern"], target: target)
            case "jsonpath":
                form = .jsonPath(
                    path: object["path"], target: target, count: object["count"], expect: object["expect"])
            case "range": form = .range(object["range"], target: target)
            case "probe": form = .probe(object)
            default: form = .never
            }
        case .null?, .real?, .date?, .bytes?, nil: form = .never
        }
    }

    /// The probe that decides, if one does.
    public var probe: Value.Object? {
        if case .probe(let object) = form { object } else { nil }
    }

    /// Whether a value is within the tolerance.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` where the reference's comparison raises.
    public func isMet(by value: Value, in scope: Scope = Scope()) throws(ActivityError) -> Bool {
        let status = value["status"]
        switch form {
        case .bool(let bool): return value.equalsInPython(.bool(bool))
        case .text(let text):
            let substituted = try scope.substitute(.string(text))
            guard case .string = substituted else { return try Tolerance(substituted).isMet(by: value, in: scope) }
            return value.equalsInPython(substituted)
        case .integer(let expected): return (status ?? value).equalsInPython(expected)
        case .list(let list):
            if let status { return list.contains { status.equalsInPython($0) } }
            guard list.count == 2 else { return list.contains { value.equalsInPython($0) } }
            return try Self.isBetween(list, value)
        case .regex(let pattern, let target):
            return try Self.matches(scope.substitute(pattern ?? .null), try Self.part(target, of: value))
        case .jsonPath(let path, let target, let count, let expect):
            return try isMet(path, count, expect, by: try Self.part(target, of: value), scope)
        case .range(let range, let target): return try Self.isWithin(range, try Self.part(target, of: value))
        case .probe, .never: return false
        }
    }

    /// The part of a value that a target names; the value itself if it has no such part.
    private static func part(_ target: Value?, of value: Value) throws(ActivityError) -> Value {
        guard let target, target.isTruthy else { return value }
        guard let object = value.object else {
            throw .unexpected(
                "the tolerance's target \(PythonText.repr(target)) needs an object, not \(value.kind)")
        }
        return target.string.flatMap { object[$0] } ?? value
    }

    private static func isBetween(_ bounds: [Value], _ value: Value) throws(ActivityError) -> Bool {
        guard try isOrdered(bounds[0], value) else { return false }
        return try isOrdered(value, bounds[1])
    }

    private static func isOrdered(_ left: Value, _ right: Value) throws(ActivityError) -> Bool {
        if case .string(let left) = left, case .string(let right) = right {
            return !right.unicodeScalars.lexicographicallyPrecedes(left.unicodeScalars)
        }
        guard let order = left.comparedAsNumber(right) else {
            throw .unexpected("\(left.kind) and \(right.kind) have no order")
        }
        return order == .less || order == .same
    }

    private static func matches(_ pattern: Value, _ value: Value) throws(ActivityError) -> Bool {
        guard case .string(let text) = pattern else {
            throw .unexpected("a regular expression is a string, not \(pattern.kind)")
        }
        guard case .string(let subject) = value else {
            throw .unexpected("a regular expression needs a string to search, not \(value.kind)")
        }
        do {
            return try PythonRegex(text).matches(in: subject)
        } catch {
            throw .unexpected("the regular expression '\(text)' cannot be used: \(error)")
        }
    }

    private func isMet(
        _ path: Value?, _ count: Value?, _ expect: Value?, by value: Value, _ scope: Scope
    ) throws(ActivityError) -> Bool {
        guard case .string(let text) = try scope.substitute(path ?? .null) else {
            throw .unexpected("a JSON path is a string")
        }
        var document = value
        switch value {
        case .string(let text): document = (try? JSONReader.read(text.utf8)) ?? value
        case .bytes(let bytes):
            document = (try? JSONReader.read(bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
        case .null, .bool, .integer, .largeInteger, .real, .array, .object, .date: break
        }
        let found: [Value]
        do {
            found = try JSONPath(text).values(in: document)
        } catch {
            throw .unexpected("\(error)")
        }
        if let expect {
            let expected = try scope.substitute(expect)
            return Value.array(found).equalsInPython(expected.array == nil ? .array([expected]) : expected)
        }
        if let count { return Value.integer(found.count).equalsInPython(count) }
        return !found.isEmpty
    }

    private static func isWithin(_ range: Value?, _ value: Value) throws(ActivityError) -> Bool {
        guard let bounds = range?.array, bounds.count >= 2 else {
            throw .unexpected("a range has two numbers")
        }
        switch value {
        case .string(let text):
            if let number = ExactDecimal(text) { return try isWithin(bounds, exact: number) }
            let word = text.trimmingBlanks.lowercased().drop { $0 == "+" || $0 == "-" }
            switch word {
            case "inf", "infinity":
                let sign = text.contains("-") ? -1.0 : 1.0
                return try isBetween(bounds, .real(sign * .infinity))
            case _ where word.hasPrefix("nan") || word.hasPrefix("snan"):
                throw .unexpected("NaN has no order")
            default: return false
            }
        case .real(let real) where real.isNaN: throw .unexpected("NaN has no order")
        case .bool, .integer, .largeInteger, .real:
            return try isBetween(bounds, value)
        case .null, .array, .object, .date, .bytes:
            throw .unexpected("\(value.kind) is not a number to look for in a range")
        }
    }

    private static func isWithin(_ bounds: [Value], exact number: ExactDecimal) throws(ActivityError) -> Bool {
        guard let low = bounds[0].pythonNumber, let high = bounds[1].pythonNumber else {
            throw .unexpected("a range has two numbers")
        }
        if low.isNaN || high.isNaN { throw .unexpected("NaN has no order") }
        let isAbove = ExactDecimal(low).map { $0 <= number } ?? (low < 0)
        let isBelow = ExactDecimal(high).map { number <= $0 } ?? (high > 0)
        return isAbove && isBelow
    }
}

extension String {
    /// The text without blanks at its ends.
    var trimmingBlanks: Substring {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }
}
