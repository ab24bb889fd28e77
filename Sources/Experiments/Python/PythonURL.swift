/// Texts in addresses and forms, as Python's `urllib.parse` quotes them.
package enum PythonURL {
    /// The text with all but letters, digits and some signs as percent signs and bytes.
    package static func quoted(_ text: String, allowing signs: String) -> String {
        let allowed = Set(signs.utf8)
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where allowed.contains(byte): result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    /// A name or a value of a form: blanks are plus signs.
    package static func formQuoted(_ text: String) -> String {
        quoted(text, allowing: "-._~ ").map { $0 == " " ? "+" : String($0) }.joined()
    }
}
