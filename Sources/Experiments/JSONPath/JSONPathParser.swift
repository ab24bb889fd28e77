import Documents

/// Reads a path: words first, then what they say.
struct JSONPathParser {
    private enum Token: Hashable {
        /// `$`, `@`, `[`, `?`, operators and words of the language.
        case symbol(String)
        case name(String)
        case string(String)
        case number(Value)
    }

    private var tokens: [(token: Token, position: Int)] = []
    private var index: Int = 0
    private var depth: Int = 0
    private let length: Int

    /// How deep brackets may lie in each other.
    private static let depthMax: Int = 100
    private static let words: Set<String> = ["and", "or", "not", "contains", "true", "false", "null"]

    init(_ text: String) throws(JSONPathError) {
        let scalars = Array(text.unicodeScalars)
        length = scalars.count
        try scan(scalars)
    }

    mutating func parse() throws(JSONPathError) -> [JSONPath.Step] {
        try expect("$")
        let steps = try steps()
        guard index == tokens.count else { throw error("the path should end here") }
        return steps
    }

    // MARK: Words

    private mutating func scan(_ text: [Unicode.Scalar]) throws(JSONPathError) {
        var position = 0
        while position < text.count {
            let start = position
            let scalar = text[position]
            position += 1
            switch scalar {
            case " ", "\t", "\n", "\r": continue
            case "$", "@", "[", "]", "(", ")", "?", "*", ",", ":", "=": tokens.append((.symbol(String(scalar)), start))
            case ".", "!", "<", ">":
                let following = position < text.count ? text[position] : nil
                let second: Unicode.Scalar = scalar == "." ? "." : "="
                if following == second {
                    position += 1
                    tokens.append((.symbol("\(scalar)\(second)"), start))
                } else {
                    guard scalar != "!" else { throw .invalid("'!' stands before '='", position: start) }
                    tokens.append((.symbol(String(scalar)), start))
                }
            case "\"":
                var string = ""
                while position < text.count, text[position] != "\"" {
                    // What an escape means is not looked at: it stays as it is written.
                    if text[position] == "\\" {
                        guard position + 1 < text.count, "\"\\/bfnrtu".unicodeScalars.contains(text[position + 1])
                        else {
                            throw .invalid("no escape begins here", position: position)
                        }
                        if text[position + 1] == "u" {
                            let digits = text[(position + 2)...].prefix(4)
                            guard digits.count == 4, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else {
                                throw .invalid("\\u needs four hexadecimal digits", position: position)
                            }
                        }
                        string.unicodeScalars.append(text[position])
                        position += 1
                    }
                    string.unicodeScalars.append(text[position])
                    position += 1
                }
                guard position < text.count else { throw .invalid("a string does not end", position: start) }
                position += 1
                tokens.append((.string(string), start))
            case "-", "0"..."9":
                position = start
                tokens.append((.number(try number(text, &position)), start))
            case "_", "a"..."z", "A"..."Z":
                while position < text.count, isNamePart(text[position]) { position += 1 }
                let name = String(String.UnicodeScalarView(text[start..<position]))
                tokens.append((Self.words.contains(name) ? .symbol(name) : .name(name), start))
            default: throw .invalid("'\(scalar)' is not known here", position: start)
            }
        }
    }

    private func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        "a"..."z" ~= scalar || "A"..."Z" ~= scalar || "0"..."9" ~= scalar || scalar == "_"
    }

    /// A number as JSON writes it.
    private func number(_ text: [Unicode.Scalar], _ position: inout Int) throws(JSONPathError) -> Value {
        let start = position
        func isDigit(_ at: Int) -> Bool { at < text.count && "0"..."9" ~= text[at] }
        if text[position] == "-" { position += 1 }
        guard isDigit(position) else { throw .invalid("a digit is missing", position: position) }
        if text[position] == "0" {
            position += 1
        } else {
            while isDigit(position) { position += 1 }
        }
        var isWhole = true
        if position < text.count, text[position] == ".", isDigit(position + 1) {
            isWhole = false
            position += 1
            while isDigit(position) { position += 1 }
        }
        if position < text.count, text[position] == "e" || text[position] == "E" {
            var end = position + 1
            if end < text.count, text[end] == "+" || text[end] == "-" { end += 1 }
            if isDigit(end) {
                isWhole = false
                position = end
                while isDigit(position) { position += 1 }
            }
        }
        let digits = String(String.UnicodeScalarView(text[start..<position]))
        guard isWhole else { return .real(Double(digits) ?? .nan) }
        return Int(digits).map(Value.integer) ?? .largeInteger(digits)
    }

    // MARK: Paths

    private mutating func steps() throws(JSONPathError) -> [JSONPath.Step] {
        var steps: [JSONPath.Step] = []
        while true {
            if take("..") {
                steps.append(.descend(isNext("[") ? try brackets() : [try bareword()]))
            } else if take(".") {
                steps.append(.select([try bareword()]))
            } else if isNext("[") {
                steps.append(.select(try brackets()))
            } else {
                return steps
            }
        }
    }

    private mutating func bareword() throws(JSONPathError) -> JSONPath.Selector {
        if take("*") { return .all }
        guard case .name(let name)? = peek else { throw error("a name is missing") }
        index += 1
        guard isNext("(") else { return .name(name) }
        return .function(try function(name))
    }

    private mutating func brackets() throws(JSONPathError) -> [JSONPath.Selector] {
        try enter("[")
        var selectors = [try selector()]
        while take(",") { selectors.append(try selector()) }
        try expect("]")
        depth -= 1
        return selectors
    }

    private mutating func selector() throws(JSONPathError) -> JSONPath.Selector {
        switch peek {
        case .string(let name)?:
            index += 1
            return .name(name)
        case .number(let number)?:
            guard let start = number.integer else { throw error("an index is a whole number") }
            index += 1
            return isNext(":") ? try slice(start) : .index(start)
        case .symbol(":")?: return try slice(nil)
        case .symbol("*")?:
            index += 1
            return .all
        case .symbol("?")?:
            index += 1
            try enter("(")
            let expression = try expression()
            try expect(")")
            depth -= 1
            return .filter(expression)
        case .symbol("$")?, .symbol("@")?: return .computed(try query())
        case .name(let name)?:
            index += 1
            return .function(try function(name))
        default: throw error("a name in double quotes, an index, a slice, * or ?(...) is missing")
        }
    }

    private mutating func slice(_ start: Int?) throws(JSONPathError) -> JSONPath.Selector {
        try expect(":")
        let end = try optionalIndex()
        let step = take(":") ? try optionalIndex() : nil
        return .slice(start: start, end: end, step: step)
    }

    private mutating func optionalIndex() throws(JSONPathError) -> Int? {
        guard case .number(let number)? = peek else { return nil }
        guard let index = number.integer else { throw error("an index is a whole number") }
        self.index += 1
        return index
    }

    private mutating func query() throws(JSONPathError) -> JSONPath.Query {
        let isFromRoot = take("$")
        if !isFromRoot { try expect("@") }
        return JSONPath.Query(isFromRoot: isFromRoot, steps: try steps())
    }

    private mutating func function(_ name: String) throws(JSONPathError) -> JSONPath.Function {
        let position = index
        try enter("(")
        var arguments: [JSONPath.Operand] = []
        while !isNext(")") {
            if !arguments.isEmpty { try expect(",") }
            arguments.append(try operand())
        }
        try expect(")")
        depth -= 1
        switch (name, arguments.count) {
        case ("length", 0): return .length
        case ("keys", 0): return .keys
        case ("values", 0): return .values
        case ("entries", 0): return .entries
        case ("charAt", 1): return .charAt(arguments[0])
        case ("substring", 1): return .substring(arguments[0], nil)
        case ("substring", 2): return .substring(arguments[0], arguments[1])
        default:
            index = position
            throw error("there is no function \(name) with \(arguments.count) arguments")
        }
    }

    // MARK: Expressions

    private mutating func expression() throws(JSONPathError) -> JSONPath.Expression {
        var parts = [try orExpression()]
        while take("and") { parts.append(try orExpression()) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func orExpression() throws(JSONPathError) -> JSONPath.Expression {
        var parts = [try notExpression()]
        while take("or") { parts.append(try notExpression()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func notExpression() throws(JSONPathError) -> JSONPath.Expression {
        if isNext("not") {
            depth += 1
            defer { depth -= 1 }
            guard depth <= Self.depthMax else { throw error("the expression lies too deep") }
            index += 1
            return .not(try notExpression())
        }
        if isNext("(") {
            try enter("(")
            let expression = try expression()
            try expect(")")
            depth -= 1
            return expression
        }
        let left = try operand()
        guard case .symbol(let symbol)? = peek, let comparison = JSONPath.Comparison(rawValue: symbol) else {
            return .exists(left)
        }
        index += 1
        return .compare(left, comparison, try operand())
    }

    private mutating func operand() throws(JSONPathError) -> JSONPath.Operand {
        switch peek {
        case .symbol("$")?, .symbol("@")?: return .query(try query())
        case .symbol("true")?, .symbol("false")?, .symbol("null")?, .string?, .number?, .symbol("[")?:
            return .literal(try literal())
        default: throw error("a path, a number, a string in double quotes, true, false or null is missing")
        }
    }

    private mutating func literal() throws(JSONPathError) -> Value {
        switch peek {
        case .string(let string)?:
            index += 1
            return .string(string)
        case .number(let number)?:
            index += 1
            return number
        case .symbol("[")?:
            try enter("[")
            var elements: [Value] = []
            while !isNext("]") {
                if !elements.isEmpty { try expect(",") }
                elements.append(try literal())
            }
            try expect("]")
            depth -= 1
            return .array(elements)
        default:
            if take("true") { return .bool(true) }
            if take("false") { return .bool(false) }
            if take("null") { return .null }
            throw error("a value is missing")
        }
    }

    // MARK: Helpers

    private var peek: Token? { index < tokens.count ? tokens[index].token : nil }

    private func isNext(_ symbol: String) -> Bool { peek == .symbol(symbol) }

    private mutating func take(_ symbol: String) -> Bool {
        guard isNext(symbol) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ symbol: String) throws(JSONPathError) {
        guard take(symbol) else { throw error("'\(symbol)' is missing") }
    }

    private mutating func enter(_ symbol: String) throws(JSONPathError) {
        try expect(symbol)
        depth += 1
        guard depth <= Self.depthMax else { throw error("brackets lie more than \(Self.depthMax) deep") }
    }

    private func error(_ problem: String) -> JSONPathError {
        .invalid(problem, position: index < tokens.count ? tokens[index].position : length)
    }
}
