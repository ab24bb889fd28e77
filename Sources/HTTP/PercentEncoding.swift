/// Bytes as percent signs and two digits, as addresses have them (RFC 3986).
///
/// Our own, because Foundation's lies in a library whose loading alone costs a short command a fifth of its time.
public enum PercentEncoding {
    /// The text with each percent sign and its two digits replaced by their byte; anything else stays.
    public static func decode(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
