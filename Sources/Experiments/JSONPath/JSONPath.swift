import Documents

/// A path in the dialect of jsonpath2, which is the reference's and neither Goessner's nor RFC 9535's.
///
/// It begins with `$`; a filter `[?(...)]` looks at the current value itself, not at its children; equality is one `=`; `or` binds
/// tighter than `and`; names take letters, digits and underscores, strings stand in double quotes.
struct JSONPath: Hashable, Sendable {
    let steps: [Step]

    /// What leads from a value to others.
    indirect enum Step: Hashable, Sendable {
        /// Any of the selectors, in order.
        case select([Selector])
        /// Selects from the value and from everything inside it.
        case descend([Selector])
    }

    indirect enum Selector: Hashable, Sendable {
        case name(String)
        case index(Int)
        case slice(start: Int?, end: Int?, step: Int?)
        case all
        case filter(Expression)
        /// The values of another path are names or indices.
        case computed(Query)
        case function(Function)
    }

    enum Function: Hashable, Sendable {
        case length
        case keys
        case values
        case entries
        case charAt(Operand)
        case substring(Operand, Operand?)
    }

    /// A path from the root or from the current value.
    struct Query: Hashable, Sendable {
        let isFromRoot: Bool
        let steps: [Step]
    }

    enum Operand: Hashable, Sendable {
        case literal(Value)
        case query(Query)
    }

    indirect enum Expression: Hashable, Sendable {
        case and([Expression])
        case or([Expression])
        case not(Expression)
        case exists(Operand)
        case compare(Operand, Comparison, Operand)
    }

    enum Comparison: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    /// Reads a path.
    ///
    /// - Throws: ``JSONPathError`` with the place of what is not understood.
    init(_ text: String) throws(JSONPathError) {
        var parser = try JSONPathParser(text)
        steps = try parser.parse()
    }

    /// The values that the path leads to, in depth-first order.
    ///
    /// - Throws: ``JSONPathError/tooMany(limit:)``.
    func values(in root: Value) throws(JSONPathError) -> [Value] {
        var evaluation = JSONPathEvaluation(root: root)
        return try evaluation.values(of: steps[...], from: root)
    }
}

/// Why a path cannot be used.
enum JSONPathError: Error, Hashable, CustomStringConvertible {
    /// The text is not a path: what is wrong, and at which character.
    case invalid(String, position: Int)
    /// The path leads to too much.
    case tooMany(limit: Int)

    var description: String {
        switch self {
        case .invalid(let problem, let position): "\(problem) at character \(position + 1)"
        case .tooMany(let limit): "the path leads to more than \(limit) values"
        }
    }
}
