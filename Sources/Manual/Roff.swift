/// A text in the language of manual pages, by the macros that every `man` has.
struct Roff {
    private(set) var source: String = ""

    mutating func macro(_ name: String, _ arguments: [String]) {
        source += ".\(name) \(arguments.map { "\"\(Self.escaped($0))\"" }.joined(separator: " "))\n"
    }

    mutating func section(_ title: String) { macro("SH", [title]) }
    mutating func subsection(_ title: String) { macro("SS", [title]) }

    mutating func paragraph(_ text: String) {
        guard !text.isEmpty else { return }
        source += ".PP\n"
        line(text)
    }

    /// A line with its beginning in bold.
    mutating func bold(_ text: String, rest: String) {
        source += ".PP\n\\fB\(Self.escaped(text))\\fR\(Self.escaped(rest))\n"
    }

    /// A term, and what it means.
    mutating func entry(_ term: String, _ text: String) {
        source += ".TP\n\\fB\(Self.escaped(term))\\fR\n"
        line(text)
    }

    /// Paragraphs; what is set in stays as it stands, line by line.
    mutating func text(_ text: String) {
        var isVerbatim = false
        var isNew = true
        for each in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let isSetIn = each.hasPrefix("  ")
            if isSetIn != isVerbatim {
                source += isSetIn ? ".PP\n.nf\n" : ".fi\n"
                isVerbatim = isSetIn
                isNew = !isSetIn
            }
            if each.isEmpty {
                isNew = true
                continue
            }
            if isNew, !isVerbatim { source += ".PP\n" }
            isNew = false
            line(String(each))
        }
        if isVerbatim { source += ".fi\n" }
    }

    private mutating func line(_ text: String) {
        let escaped = Self.escaped(text)
        // A line that begins with one of these would be a command.
        source += (escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" : "") + escaped + "\n"
    }

    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "\\": escaped += "\\(rs"
            case "-": escaped += "\\-"
            case "\"": escaped += "\\(dq"
            case "\n": escaped += " "
            default: escaped.append(character)
            }
        }
    }
}
