import Documents

/// Why an evaluation cannot be added to a text.
public struct RecordingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong and what to do, with the evaluation to be added by hand.
    public let description: String
}

/// Adds evaluations to a hypothesis' text, in which everything else stays as it was written, comments and blanks too.
public struct EvaluationWriter {
    private let text: String
    private let newline: String
    private let lines: [Substring]

    /// Prepares for adding to a text.
    public init(_ text: String) {
        self.text = text
        newline = text.contains("\r\n") ? "\r\n" : "\n"
        lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    }

    /// The text with an evaluation behind those that it has.
    ///
    /// The result is read again: it must hold what the text held and the evaluation, and nothing else.
    ///
    /// - Throws: ``RecordingError`` where the text is written in a form that nothing can be added to.
    public func adding(_ evaluation: Evaluation) throws(RecordingError) -> String {
        var (before, indent, behind, hasKey) = parts
        // The last line may lack its end.
        if let last = before.last, !last.isNewline { before += newline }
        if !hasKey { before += (before.isEmpty ? "" : newline) + "evaluations:" + newline }
        let block = Self.block(evaluation, indent: indent).map { $0 + newline }.joined()
        let result = before + block + behind
        guard let old = try? YAMLReader.readDocument(text).value, var expected = old.object,
            let read = try? YAMLReader.readDocument(result).value
        else { throw Self.byHand(evaluation) }
        expected["evaluations"] = .array((old["evaluations"]?.array ?? []) + [.object(evaluation.members)])
        guard read == .object(expected) else { throw Self.byHand(evaluation) }
        return result
    }

    /// The text before the new lines, how far these are set in, the text behind, and whether the part is there already.
    private var parts: (before: String, indent: String, behind: String, hasKey: Bool) {
        guard let key = lines.firstIndex(where: { Self.isKey($0) }) else {
            let end = lines.lastIndex { !Self.isBlank($0) }.map { $0 + 1 } ?? 0
            return (String(text[..<start(of: end)]), "  ", String(text[start(of: end)...]), false)
        }
        // The part ends where the next begins; blanks and comments before that belong to the next.
        let next = lines[(key + 1)...].firstIndex { Self.beginsPart($0) } ?? lines.count
        var end = next
        while end > key + 1, Self.isBlank(lines[end - 1]) || lines[end - 1].hasPrefix("#") { end -= 1 }
        let element = lines[(key + 1)..<end].first { $0.drop { $0 == " " }.hasPrefix("-") }
        var before = String(text[..<start(of: end)])
        if element == nil { Self.removeBrackets(&before, from: String(lines[key])) }
        let indent = element.map { String($0.prefix { $0 == " " }) } ?? "  "
        return (before, indent, String(text[start(of: end)...]), true)
    }

    /// Where a line begins, or the text ends.
    private func start(of line: Int) -> String.Index { line < lines.count ? lines[line].startIndex : text.endIndex }

    /// An empty list in brackets gives way to the first element.
    private static func removeBrackets(_ text: inout String, from line: String) {
        guard let part = text.ranges(of: line).last, let bracket = text[part].firstRange(of: /\s*\[\s*\]/) else {
            return
        }
        text.removeSubrange(bracket)
    }

    private static func block(_ evaluation: Evaluation, indent: String) -> [String] {
        evaluation.members.enumerated().map { index, member in
            let mark = index == 0 ? "- " : "  "
            let value =
                member.value.isNull ? "  # what did this teach? Say it here, in a line" : " " + scalar(member.value)
            return "\(indent)\(mark)\(member.key):\(value)"
        }
    }

    /// A value on a line: without quotes where it reads the same without them.
    private static func scalar(_ value: Value) -> String {
        if let members = value.object {
            return "{\(members.map { "\($0.key): \(scalar($0.value))" }.joined(separator: ", "))}"
        }
        guard let text = value.string else { return JSONWriter.write(value) }
        let isHarmless = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || " ./_-+:()".contains($0)) }
        // What would be a number, a moment or a boolean keeps its quotes.
        let isSame = (try? YAMLReader.readDocument("[\(text)]").value) == .array([.string(text)])
        return isHarmless && isSame ? text : JSONWriter.write(value)
    }

    private static func isKey(_ line: some StringProtocol) -> Bool {
        line.hasPrefix("evaluations:") || line.hasPrefix("\"evaluations\":")
    }

    private static func isBlank(_ line: Substring) -> Bool { line.allSatisfy(\.isWhitespace) }

    /// Whether a line begins another part of the file: an element of a list may stand as far left as its key.
    private static func beginsPart(_ line: Substring) -> Bool {
        guard let first = line.first else { return false }
        return !first.isWhitespace && first != "#" && first != "-" || line.hasPrefix("---")
    }

    private static func byHand(_ evaluation: Evaluation) -> RecordingError {
        RecordingError(
            description: """
                'evaluations' is not written as a list with a line for each part, so nothing was added to it; add by hand:
                \((["evaluations:"] + block(evaluation, indent: "  ")).joined(separator: "\n"))
                """)
    }
}
