/// Numbers as people read them, without Foundation.
package enum PageText {
    /// A number with so many digits behind the point, none of them a zero at the end.
    package static func short(_ number: Double, _ digits: Int = 1) -> String {
        var text = fixed(number, digits)
        guard text.contains(".") else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// A number with exactly so many digits behind the point.
    package static func fixed(_ number: Double, _ digits: Int = 1) -> String {
        guard number.isFinite else { return "–" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(number) * scale).rounded()
        guard scaled < 1e15 else { return "\(number)" }
        let whole = Int(scaled)
        let sign = number < 0 && whole != 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let base = Int(scale)
        let rest = String(whole % base)
        return "\(sign)\(whole / base)." + String(repeating: "0", count: digits - rest.count) + rest
    }

    /// A moment or a length in seconds.
    package static func seconds(_ seconds: Double) -> String { "\(short(seconds, 1)) s" }

    /// A latency.
    package static func milliseconds(_ milliseconds: Double) -> String {
        milliseconds >= 1000 ? "\(short(milliseconds / 1000, 2)) s" : "\(short(milliseconds, 0)) ms"
    }

    /// A length of time as a title has it: `10 min`, `2 h 30 min`.
    package static func length(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 120 { return "\(short(seconds, 1)) s" }
        if whole < 7200 { return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s" }
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        if hours >= 48 { return hours % 24 == 0 ? "\(hours / 24) days" : "\(hours / 24) days \(hours % 24) h" }
        return minutes == 0 ? "\(hours) h" : "\(hours) h \(minutes) min"
    }

    /// A whole number with thin spaces between its thousands.
    package static func count(_ number: Int) -> String {
        let digits = String(abs(number))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "\u{2009}" }
            text.append(digit)
        }
        return number < 0 ? "-\(text)" : text
    }

    /// So many of something.
    package static func plural(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(self.count(count)) \(count == 1 ? one : many ?? one + "s")"
    }

    /// A word as a shell reads it back.
    static func shellWord(_ word: String) -> String {
        let isPlain =
            !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-=:,+".contains($0)) }
        return isPlain
            ? word : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }

    /// A command as it is typed.
    package static func command(_ words: [String]) -> String { words.map(shellWord).joined(separator: " ") }

    /// A text with what means something in HTML and XML escaped.
    static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 32 || [38, 60, 62, 34, 39].contains($0) }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            // Other control characters are not allowed in XML, not even escaped.
            case let control where control.value < 32: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
