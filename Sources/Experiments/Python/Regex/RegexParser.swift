/// Reads a pattern in Python's syntax.
struct RegexParser {
    private let pattern: [Unicode.Scalar]
    private var index: Int = 0
    private var flags: Flags = Flags()
    private var depth: Int = 0
    private var groupCount: Int = 0
    private var names: [String: Int] = [:]
    private var openGroups: Set<Int> = []
    /// Groups that conditions ask for; they may come later.
    private var conditions: [(number: Int, position: Int)] = []

    /// How deep groups may lie in each other.
    private static let depthMax: Int = 200
    /// Groups that a pattern may refer to.
    private static let groupsMax: Int = 10_000
    /// Python's own limit on the numbers of a repetition.
    private static let countMax: Int = 4_294_967_294

    private struct Flags {
        var isASCII: Bool = false
        var ignoresCase: Bool = false
        var isMultiline: Bool = false
        var dotMatchesAll: Bool = false
        var isVerbose: Bool = false
    }

    init(_ pattern: String) {
        self.pattern = Array(pattern.unicodeScalars)
    }

    /// The pattern's parts and how many groups it has.
    mutating func parse() throws(RegexError) -> (node: RegexNode, groups: Int) {
        try leadingFlags()
        let node = try alternatives()
        if index < pattern.count { throw error("unbalanced parenthesis") }
        for (number, position) in conditions where number > groupCount {
            throw .invalid("invalid group reference \(number)", position: position)
        }
        return (node, groupCount)
    }

    // MARK: Structure

    private mutating func alternatives() throws(RegexError) -> RegexNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(RegexError) -> RegexNode {
        var nodes: [RegexNode] = []
        while true {
            if flags.isVerbose { skipVerbose() }
            guard let next = peek, next != "|", next != ")" else { break }
            let start = index
            guard let atom = try atom() else { continue }
            nodes.append(try quantified(atom, at: start))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func quantified(_ atom: RegexNode, at start: Int) throws(RegexError) -> RegexNode {
        try skipComments()
        let mark = index
        guard let (min, max) = try quantifier() else { return atom }
        if case .assertion = atom { throw .invalid("nothing to repeat", position: mark) }
        var kind = RegexNode.Repetition.Kind.greedy
        if take("?") {
            kind = .lazy
        } else if take("+") {
            kind = .possessive
        }
        if flags.isVerbose { skipVerbose() }
        let afterwards = index
        if try quantifier() != nil { throw RegexError.invalid("multiple repeat", position: afterwards) }
        return .repetition(atom, RegexNode.Repetition(min: min, max: max, kind: kind))
    }

    /// The numbers of a repetition, or nil when none stands here.
    private mutating func quantifier() throws(RegexError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = index
        guard take("{") else { return nil }
        let low = digits()
        var high: String? = low
        if take(",") { high = digits() }
        guard take("}"), !(low.isEmpty && high == low && pattern[start + 1] == "}") else {
            // Braces that say nothing stand for themselves.
            index = start
            return nil
        }
        let min = low.isEmpty ? 0 : try count(low, start)
        let max = high.flatMap { $0.isEmpty ? nil : $0 }
        let limit = try max.map { text throws(RegexError) in try count(text, start) }
        if let limit, limit < min {
            throw .invalid("min repeat greater than max repeat", position: start)
        }
        return (min, limit)
    }

    private func count(_ digits: String, _ position: Int) throws(RegexError) -> Int {
        guard let count = Int(digits), count <= Self.countMax else {
            throw .invalid("the repetition number is too large", position: position)
        }
        return count
    }

    private mutating func digits() -> String {
        var text = ""
        while let next = peek, "0"..."9" ~= next {
            text.unicodeScalars.append(next)
            index += 1
        }
        return text
    }

    // MARK: Atoms

    private mutating func atom() throws(RegexError) -> RegexNode? {
        let start = index
        guard let next = peek else { return nil }
        index += 1
        switch next {
        case ".": return .set(.any(withNewline: flags.dotMatchesAll))
        case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEndBeforeNewline)
        case "[": return .set(try set())
        case "(": return try group(start)
        case "\\": return try escape(start)
        case "*", "+", "?": throw .invalid("nothing to repeat", position: start)
        case "{":
            index = start
            if try quantifier() != nil { throw .invalid("nothing to repeat", position: start) }
            index = start + 1
            return literal(next)
        default: return literal(next)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> RegexNode {
        .set(.one(scalar.value, ignoresCase: flags.ignoresCase))
    }

    private mutating func group(_ start: Int) throws(RegexError) -> RegexNode? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw .invalid("groups lie too deep in each other", position: start) }
        guard take("?") else { return try capturing(nil, start) }
        guard let kind = peek else { throw .invalid("unexpected end of pattern", position: index) }
        index += 1
        switch kind {
        case ":": return try body(start)
        case ">": return .atomic(try body(start))
        case "#":
            index = start
            try skipComments()
            return nil
        case "=": return .look(try body(start), isAhead: true, isNegative: false)
        case "!": return .look(try body(start), isAhead: true, isNegative: true)
        case "<": return try lookBehind(start)
        case "P": return try named(start)
        case "(": return try conditional(start)
        default:
            index -= 1
            return try scopedFlags(start)
        }
    }

    /// What stands up to the closing parenthesis; flags that it sets end there.
    private mutating func body(_ start: Int) throws(RegexError) -> RegexNode {
        let outer = flags
        let node = try alternatives()
        flags = outer
        guard take(")") else { throw .invalid("missing ), unterminated subpattern", position: start) }
        return node
    }

    private mutating func capturing(_ name: String?, _ start: Int) throws(RegexError) -> RegexNode {
        groupCount += 1
        let number = groupCount
        if let name {
            guard names[name] == nil else { throw .invalid("redefinition of group name '\(name)'", position: start) }
            names[name] = number
        }
        openGroups.insert(number)
        let node = try body(start)
        openGroups.remove(number)
        return .group(node, number: number)
    }

    private mutating func lookBehind(_ start: Int) throws(RegexError) -> RegexNode {
        guard let kind = peek, kind == "=" || kind == "!" else {
            throw .invalid("unknown extension ?<", position: start + 1)
        }
        index += 1
        let node = try body(start)
        let width = node.width
        guard let max = width.max, max == width.min else {
            throw .invalid("look-behind requires fixed-width pattern", position: start)
        }
        return .look(node, isAhead: false, isNegative: kind == "!")
    }

    private mutating func named(_ start: Int) throws(RegexError) -> RegexNode {
        if take("<") { return try capturing(try name(until: ">"), start) }
        guard take("=") else { throw .invalid("unknown extension ?P", position: start + 1) }
        let name = try name(until: ")")
        guard let number = names[name] else { throw .invalid("unknown group name '\(name)'", position: start + 4) }
        guard !openGroups.contains(number) else {
            throw .invalid("cannot refer to an open group", position: start + 4)
        }
        return .backreference(number, ignoresCase: flags.ignoresCase)
    }

    private mutating func name(until end: Unicode.Scalar) throws(RegexError) -> String {
        let start = index
        var name = ""
        while let next = peek, next != end {
            name.unicodeScalars.append(next)
            index += 1
        }
        guard take(end) else { throw .invalid("missing \(end), unterminated name", position: start) }
        guard let first = name.unicodeScalars.first else { throw .invalid("missing group name", position: start) }
        guard first == "_" || first.properties.isXIDStart,
            name.unicodeScalars.allSatisfy({ $0.properties.isXIDContinue })
        else { throw .invalid("bad character in group name '\(name)'", position: start) }
        return name
    }

    private mutating func conditional(_ start: Int) throws(RegexError) -> RegexNode {
        let mark = index
        let digits = digits()
        let number: Int
        if !digits.isEmpty, take(")") {
            guard let given = Int(digits), given > 0, given < Self.groupsMax else {
                throw .invalid("invalid group reference \(digits)", position: mark)
            }
            conditions.append((given, mark))
            number = given
        } else {
            index = mark
            let name = try name(until: ")")
            guard let known = names[name] else { throw .invalid("unknown group name '\(name)'", position: mark) }
            number = known
        }
        let outer = flags
        let yes = try sequence()
        let no = take("|") ? try sequence() : .empty
        flags = outer
        if peek == "|" { throw .invalid("conditional backref with more than two branches", position: index) }
        guard take(")") else { throw .invalid("missing ), unterminated subpattern", position: start) }
        return .conditional(number, yes, no)
    }

    // MARK: Flags

    /// Flags for the whole pattern stand at its beginning.
    private mutating func leadingFlags() throws(RegexError) {
        while true {
            let start = index
            guard take("("), take("?"), var next = peek else {
                index = start
                return
            }
            var changed = flags
            while set(next, in: &changed, to: true) {
                index += 1
                guard let following = peek else { throw .invalid("missing -, : or )", position: index) }
                next = following
            }
            guard index > start + 2, take(")") else {
                index = start
                return
            }
            flags = changed
        }
    }

    private mutating func scopedFlags(_ start: Int) throws(RegexError) -> RegexNode {
        var changed = flags
        var turnsOn = true
        var count = 0
        while let next = peek {
            index += 1
            if next == ":", count > 0 {
                let outer = flags
                flags = changed
                let node = try alternatives()
                flags = outer
                guard take(")") else { throw .invalid("missing ), unterminated subpattern", position: start) }
                return node
            }
            if next == ")", count > 0, turnsOn {
                throw .invalid("global flags not at the start of the expression", position: start)
            }
            if next == "-", turnsOn {
                turnsOn = false
                continue
            }
            guard set(next, in: &changed, to: turnsOn) else {
                throw .invalid(
                    count == 0 ? "unknown extension ?\(next)" : "unknown flag",
                    position: count == 0 ? start + 1 : index - 1)
            }
            count += 1
        }
        throw .invalid(count == 0 ? "unexpected end of pattern" : "missing -, : or )", position: index)
    }

    private func set(_ letter: Unicode.Scalar, in flags: inout Flags, to value: Bool) -> Bool {
        switch letter {
        case "a": flags.isASCII = value
        case "i": flags.ignoresCase = value
        case "m": flags.isMultiline = value
        case "s": flags.dotMatchesAll = value
        case "u": flags.isASCII = false
        case "x": flags.isVerbose = value
        default: return false
        }
        return true
    }

    /// Skips comments, and blanks where they mean nothing.
    private mutating func skipComments() throws(RegexError) {
        while true {
            if flags.isVerbose { skipVerbose() }
            let start = index
            guard take("("), take("?"), take("#") else {
                index = start
                return
            }
            guard let end = pattern[index...].firstIndex(of: ")") else {
                throw .invalid("missing ), unterminated comment", position: start)
            }
            index = end + 1
        }
    }

    private mutating func skipVerbose() {
        while let next = peek {
            if [" ", "\t", "\n", "\r", "\u{b}", "\u{c}"].contains(next) {
                index += 1
            } else if next == "#" {
                while let skipped = peek, skipped != "\n" {
                    _ = skipped
                    index += 1
                }
            } else {
                return
            }
        }
    }

    // MARK: Escapes

    private mutating func escape(_ start: Int) throws(RegexError) -> RegexNode {
        guard let next = peek else { throw .invalid("bad escape (end of pattern)", position: start) }
        switch next {
        case "A": return assertion(.textStart)
        case "Z": return assertion(.textEnd)
        case "b": return assertion(.wordBoundary(isASCII: flags.isASCII))
        case "B": return assertion(.noWordBoundary(isASCII: flags.isASCII))
        case "1"..."9":
            if let octal = octal(count: 3) { return literal(octal) }
            index += 1
            var text = String(next)
            if let second = peek, "0"..."9" ~= second {
                text.unicodeScalars.append(second)
                index += 1
            }
            guard let number = Int(text), number <= groupCount else {
                throw .invalid("invalid group reference \(text)", position: start + 1)
            }
            guard !openGroups.contains(number) else {
                throw .invalid("cannot refer to an open group", position: start)
            }
            return .backreference(number, ignoresCase: flags.ignoresCase)
        default:
            if let item = classEscape(next) {
                index += 1
                return .set(RegexSet(items: [item]))
            }
            return literal(try characterEscape(start))
        }
    }

    private mutating func assertion(_ assertion: RegexNode.Assertion) -> RegexNode {
        index += 1
        return .assertion(assertion)
    }

    private func classEscape(_ letter: Unicode.Scalar) -> RegexSet.Item? {
        switch letter {
        case "d": .digit(isASCII: flags.isASCII)
        case "D": .not(.digit(isASCII: flags.isASCII))
        case "s": .space(isASCII: flags.isASCII)
        case "S": .not(.space(isASCII: flags.isASCII))
        case "w": .word(isASCII: flags.isASCII)
        case "W": .not(.word(isASCII: flags.isASCII))
        default: nil
        }
    }

    /// Exactly so many octal digits, at most 0o377.
    private mutating func octal(count: Int) -> Unicode.Scalar? {
        let digits = pattern[index...].prefix(count)
        guard digits.count == count, digits.allSatisfy({ "0"..."7" ~= $0 }),
            let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 8), value <= 0o377
        else { return nil }
        index += count
        return Unicode.Scalar(value)
    }

    /// A character that an escape names; the backslash is behind.
    private mutating func characterEscape(_ start: Int) throws(RegexError) -> Unicode.Scalar {
        let next = pattern[index]
        index += 1
        switch next {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "f": return "\u{c}"
        case "v": return "\u{b}"
        case "a": return "\u{7}"
        case "x": return try hexadecimal(2, start)
        case "u": return try hexadecimal(4, start)
        case "U": return try hexadecimal(8, start)
        case "0":
            var text = "0"
            while text.count < 3, let digit = peek, "0"..."7" ~= digit {
                text.unicodeScalars.append(digit)
                index += 1
            }
            return Unicode.Scalar(UInt32(text, radix: 8) ?? 0) ?? "\0"
        default:
            guard !("a"..."z" ~= next || "A"..."Z" ~= next || "0"..."9" ~= next) else {
                throw .invalid("bad escape \\\(next)", position: start)
            }
            return next
        }
    }

    private mutating func hexadecimal(_ count: Int, _ start: Int) throws(RegexError) -> Unicode.Scalar {
        let digits = pattern[index...].prefix(count)
        let text = String(String.UnicodeScalarView(digits))
        guard digits.count == count, text.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let value = UInt32(text, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw .invalid("incomplete escape \\\(pattern[index - 1])\(text)", position: start) }
        index += count
        return scalar
    }

    // MARK: Sets

    private mutating func set() throws(RegexError) -> RegexSet {
        let start = index - 1
        var set = RegexSet(items: [], isNegated: take("^"), ignoresCase: flags.ignoresCase)
        var isFirst = true
        while true {
            guard let next = peek else { throw .invalid("unterminated character set", position: start) }
            if next == "]", !isFirst {
                index += 1
                return set
            }
            isFirst = false
            let itemStart = index
            let low = try setItem()
            guard peek == "-", index + 1 < pattern.count, pattern[index + 1] != "]" else {
                set.items.append(low)
                continue
            }
            index += 1
            let high = try setItem()
            guard case .range(let first, _) = low, case .range(let last, _) = high, first <= last else {
                let text = String(String.UnicodeScalarView(pattern[itemStart..<index]))
                throw .invalid("bad character range \(text)", position: itemStart)
            }
            set.items.append(.range(first, last))
        }
    }

    private mutating func setItem() throws(RegexError) -> RegexSet.Item {
        let start = index
        let next = pattern[index]
        index += 1
        guard next == "\\" else { return .range(next.value, next.value) }
        guard let escaped = peek else { throw .invalid("bad escape (end of pattern)", position: start) }
        if let item = classEscape(escaped) {
            index += 1
            return item
        }
        if escaped == "b" {
            index += 1
            return .range(8, 8)
        }
        if "1"..."7" ~= escaped {
            // In a set there are no groups to refer to: digits are octal.
            guard let scalar = octal(count: 3) ?? octal(count: 2) ?? octal(count: 1) else {
                throw .invalid("octal escape value outside of range 0-0o377", position: start)
            }
            return .range(scalar.value, scalar.value)
        }
        let scalar = try characterEscape(start)
        return .range(scalar.value, scalar.value)
    }

    // MARK: Helpers

    private var peek: Unicode.Scalar? { index < pattern.count ? pattern[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        index += 1
        return true
    }

    private func error(_ problem: String) -> RegexError { .invalid(problem, position: index) }
}
