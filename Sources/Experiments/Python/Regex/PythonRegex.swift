import Documents

/// A regular expression as Python's `re` understands it; it says whether a text contains a match.
///
/// Our own engine, because the others differ where experiments show it: ICU's `$`, `\w`, names of groups and `(?P<n>)`, Swift's matching
/// by grapheme; and because neither can be bounded: here a search that takes too many steps ends with an error.
struct PythonRegex {
    /// Steps that a search may take before it is given up.
    static let stepsMax: Int = 5_000_000

    let program: RegexProgram

    /// Compiles a pattern.
    ///
    /// - Throws: ``RegexError`` with what is wrong and where.
    init(_ pattern: String) throws(RegexError) {
        var parser = RegexParser(pattern)
        let (node, groups) = try parser.parse()
        var compiler = RegexCompiler(groups: groups)
        program = try compiler.compile(node)
    }

    /// Whether a match begins anywhere in the text.
    ///
    /// - Throws: ``RegexError/tooManySteps(limit:)``.
    func matches(in text: String) throws(RegexError) -> Bool {
        var machine = RegexMachine(program, text: Array(text.unicodeScalars), stepsMax: Self.stepsMax)
        return try machine.search()
    }
}

/// Why a pattern cannot be used.
enum RegexError: Error, Hashable, CustomStringConvertible {
    /// The pattern is wrong, in Python's words, at so many characters from its beginning.
    case invalid(String, position: Int)
    /// The pattern unfolds to too much.
    case tooLarge(limit: Int)
    /// A search was given up.
    case tooManySteps(limit: Int)

    var description: String {
        switch self {
        case .invalid(let problem, let position): "\(problem) at position \(position)"
        case .tooLarge(let limit): "the pattern unfolds to more than \(limit) instructions"
        case .tooManySteps(let limit): "the search was given up after \(limit) steps; simplify the pattern"
        }
    }
}

/// A part of a pattern.
indirect enum RegexNode {
    case empty
    case set(RegexSet)
    case sequence([RegexNode])
    case alternatives([RegexNode])
    case group(RegexNode, number: Int)
    case atomic(RegexNode)
    case repetition(RegexNode, Repetition)
    case assertion(Assertion)
    case look(RegexNode, isAhead: Bool, isNegative: Bool)
    case backreference(Int, ignoresCase: Bool)
    /// The first of two if a group has matched, else the second.
    case conditional(Int, RegexNode, RegexNode)

    struct Repetition {
        var min: Int
        /// Nil is without limit.
        var max: Int?
        var kind: Kind

        enum Kind {
            case greedy
            case lazy
            case possessive
        }
    }

    enum Assertion: Hashable {
        case textStart
        case textEnd
        /// The end, or before a newline that ends the text.
        case textEndBeforeNewline
        case lineStart
        case lineEnd
        case wordBoundary(isASCII: Bool)
        case noWordBoundary(isASCII: Bool)
    }

    /// The smallest and the largest number of characters that it matches; nil is without limit.
    var width: (min: Int, max: Int?) {
        switch self {
        case .empty, .assertion, .look: return (0, 0)
        case .set: return (1, 1)
        case .sequence(let nodes):
            return nodes.reduce((0, 0)) { sum, node in
                let width = node.width
                return (sum.0 &+ width.min, sum.1.flatMap { left in width.max.map { left &+ $0 } })
            }
        case .alternatives(let nodes):
            let widths = nodes.map(\.width)
            let isBounded = widths.allSatisfy { $0.max != nil }
            return (widths.map(\.min).min() ?? 0, isBounded ? widths.compactMap(\.max).max() ?? 0 : nil)
        case .group(let node, _), .atomic(let node): return node.width
        case .repetition(let node, let repetition):
            let width = node.width
            let most = repetition.max.flatMap { count in width.max.map { $0.multipliedClamped(by: count) } }
            return (width.min.multipliedClamped(by: repetition.min), width.max == 0 ? 0 : most)
        case .backreference: return (0, nil)
        case .conditional(_, let yes, let no):
            return RegexNode.alternatives([yes, no]).width
        }
    }
}

extension Int {
    fileprivate func multipliedClamped(by other: Int) -> Int {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? Int.max >> 1 : product
    }
}

/// A set of characters.
struct RegexSet: Hashable {
    enum Item: Hashable {
        case range(UInt32, UInt32)
        case digit(isASCII: Bool)
        case space(isASCII: Bool)
        case word(isASCII: Bool)
        case not(Complement)

        enum Complement: Hashable {
            case digit(isASCII: Bool)
            case space(isASCII: Bool)
            case word(isASCII: Bool)
        }
    }

    var items: [Item]
    var isNegated: Bool = false
    var ignoresCase: Bool = false

    static func one(_ scalar: UInt32, ignoresCase: Bool) -> RegexSet {
        RegexSet(items: [.range(scalar, scalar)], ignoresCase: ignoresCase)
    }

    /// Every character, or every one but the newline.
    static func any(withNewline: Bool) -> RegexSet {
        RegexSet(items: withNewline ? [.range(0, 0x10ffff)] : [.range(0, 9), .range(11, 0x10ffff)])
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var isIn = has(scalar)
        if !isIn, ignoresCase { isIn = RegexSet.variants(of: scalar).contains(where: has) }
        return isIn != isNegated
    }

    private func has(_ scalar: Unicode.Scalar) -> Bool {
        items.contains { item in
            switch item {
            case .range(let low, let high): low...high ~= scalar.value
            case .digit(let isASCII): RegexSet.isDigit(scalar, isASCII)
            case .space(let isASCII): RegexSet.isSpace(scalar, isASCII)
            case .word(let isASCII): RegexSet.isWord(scalar, isASCII)
            case .not(.digit(let isASCII)): !RegexSet.isDigit(scalar, isASCII)
            case .not(.space(let isASCII)): !RegexSet.isSpace(scalar, isASCII)
            case .not(.word(let isASCII)): !RegexSet.isWord(scalar, isASCII)
            }
        }
    }

    /// The forms of a character in upper and lower case.
    static func variants(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        let lower = Array(scalar.properties.lowercaseMapping.unicodeScalars)
        let upper = Array(scalar.properties.uppercaseMapping.unicodeScalars)
        return (lower.count == 1 ? lower : []) + (upper.count == 1 ? upper : [])
    }

    static func isDigit(_ scalar: Unicode.Scalar, _ isASCII: Bool) -> Bool {
        if scalar.isASCII || isASCII { return "0"..."9" ~= scalar }
        return scalar.properties.generalCategory == .decimalNumber
    }

    static func isSpace(_ scalar: Unicode.Scalar, _ isASCII: Bool) -> Bool {
        switch scalar.value {
        case 9...13, 32: return true
        case 0x1c...0x1f, 0x85, 0xa0: return !isASCII
        default:
            guard !isASCII, scalar.value > 0xa0 else { return false }
            switch scalar.properties.generalCategory {
            case .spaceSeparator, .lineSeparator, .paragraphSeparator: return true
            default: return false
            }
        }
    }

    static func isWord(_ scalar: Unicode.Scalar, _ isASCII: Bool) -> Bool {
        if scalar.isASCII || isASCII {
            return "a"..."z" ~= scalar || "A"..."Z" ~= scalar || "0"..."9" ~= scalar || scalar == "_"
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return true
        default: return scalar.properties.numericType != nil
        }
    }
}
