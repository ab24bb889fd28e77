/// The colours of pages, by name, for light and for dark surroundings.
///
/// They can be told apart without seeing red and green, and no meaning hangs on a colour alone: charts have legends, verdicts words and signs.
enum Palette {
    /// A colour in both surroundings, as six hexadecimal digits.
    struct Color {
        let name: String
        let light: String
        let dark: String
    }

    /// Colours that texts are written in, on `paper` and on `panel`.
    static let texts: [Color] = [
        Color(name: "ink", light: "1d2126", dark: "e8eaec"),
        Color(name: "muted", light: "565e68", dark: "a7afb8"),
        Color(name: "link", light: "0b5cad", dark: "7db8f0"),
        Color(name: "held", light: "00695c", dark: "5fc9b8"),
        Color(name: "refuted", light: "a83a00", dark: "ff9a62"),
        Color(name: "unsure", light: "735600", dark: "e3bb4d"),
        Color(name: "broken", light: "6d3a8a", dark: "c9a2e2"),
    ]

    /// Colours that texts stand on.
    static let grounds: [Color] = [
        Color(name: "paper", light: "faf9f6", dark: "14171a"),
        Color(name: "panel", light: "ffffff", dark: "1b1f23"),
        Color(name: "soft", light: "f1efe9", dark: "23282d"),
    ]

    /// Colours of areas and lines.
    static let marks: [Color] = [
        Color(name: "rule", light: "dedbd2", dark: "333a41"),
        Color(name: "grid", light: "eae8e1", dark: "292f35"),
        Color(name: "first", light: "0b5cad", dark: "6cb2f5"),
        Color(name: "second", light: "c26a00", dark: "f0a848"),
        Color(name: "third", light: "97a1ab", dark: "76818c"),
        Color(name: "fault", light: "f0dfae", dark: "4d421f"),
        Color(name: "excess", light: "e9a27f", dark: "8a4526"),
        Color(name: "fetched", light: "d5e7ea", dark: "24434a"),
        Color(name: "failing", light: "e5a93a", dark: "c98f22"),
        Color(name: "open", light: "8e5ea8", dark: "a97cc4"),
        Color(name: "beyond", light: "b5420c", dark: "f07a3e"),
        Color(name: "good", light: "6bb3a6", dark: "3f8f82"),
        Color(name: "calm", light: "9fcbc2", dark: "2f6f65"),
        Color(name: "pale", light: "c5cbd1", dark: "4a535c"),
    ]

    /// The style sheet's variables for one of both.
    static func variables(dark: Bool) -> String {
        (texts + grounds + marks).map { "--\($0.name):#\(dark ? $0.dark : $0.light)" }.joined(separator: ";")
    }

    /// How much two colours differ in lightness, as WCAG 2 says it: 1 is not at all, 21 is black on white.
    static func contrast(_ one: String, _ other: String) -> Double {
        let (a, b) = (luminance(one), luminance(other))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    private static func luminance(_ color: String) -> Double {
        let value = Int(color, radix: 16) ?? 0
        let parts = [value >> 16 & 255, value >> 8 & 255, value & 255].map { part -> Double in
            let share = Double(part) / 255
            guard share > 0.03928 else { return share / 12.92 }
            // (x)^2.4 by its fifth root: x^2 · (x^2)^(1/5).
            let base = (share + 0.055) / 1.055
            return base * base * fifthRoot(of: base * base)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }

    private static func fifthRoot(of value: Double) -> Double {
        var root = 1.0
        for _ in 0..<60 { root -= (root * root * root * root * root - value) / (5 * root * root * root * root) }
        return root
    }
}
