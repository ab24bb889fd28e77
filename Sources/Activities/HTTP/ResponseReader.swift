import Documents
import Experiments
import HTTPTypes
import NIOCore

/// Turns an answer into an activity's output.
enum ResponseReader {
    /// An object of `status`, `headers` and `body`.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` when the answer says that it is JSON and is not.
    static func value(of response: HTTPResponse, _ body: ByteBuffer) throws(ActivityError) -> Value {
        var headers = Value.Object()
        for field in response.headerFields {
            let name = headers.keys.first { $0.lowercased() == field.name.canonicalName } ?? field.name.rawName
            let before = headers[name]?.string
            headers[name] = .string(before.map { "\($0), \(field.value)" } ?? field.value)
        }
        let type = response.headerFields[.contentType]
        let content: Value
        if type == "application/json" {
            do {
                content = try JSONReader.read(body.readableBytesView.withoutByteOrderMark)
            } catch {
                throw .unexpected("the answer says that it is JSON and is not: \(error)")
            }
        } else {
            content = .string(text(Array(body.readableBytesView), type: type))
        }
        return ["status": .integer(response.status.code), "headers": .object(headers), "body": content]
    }

    /// The text of a body: by the character set that its type names, for texts without one by ISO 8859-1, otherwise as UTF-8.
    private static func text(_ bytes: [UInt8], type: String?) -> String {
        let parts = (type ?? "").lowercased().split(separator: ";")
        var charset: Substring?
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0].filter({ $0 != " " }) == "charset" {
                charset = pair[1].drop { " '\"".contains($0) }.prefix { !" '\"".contains($0) }
            }
        }
        let isText = parts.first?.contains("text") ?? false
        switch charset ?? (isText ? "iso-8859-1" : "utf-8") {
        case "iso-8859-1", "latin-1", "latin1", "iso8859-1", "l1":
            var text = ""
            for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
            return text
        case "us-ascii", "ascii":
            return String(decoding: bytes.map { $0 < 0x80 ? UInt16($0) : 0xfffd }, as: UTF16.self)
        case "utf-16", "utf-16le", "utf-16be": return utf16(bytes, charset ?? "")
        default: return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static func utf16(_ bytes: [UInt8], _ charset: Substring) -> String {
        var bytes = bytes[...]
        var isBig = charset == "utf-16be"
        if charset == "utf-16", bytes.starts(with: [0xfe, 0xff]) || bytes.starts(with: [0xff, 0xfe]) {
            isBig = bytes.first == 0xfe
            bytes = bytes.dropFirst(2)
        }
        var units: [UInt16] = []
        while let first = bytes.popFirst(), let second = bytes.popFirst() {
            units.append(isBig ? UInt16(first) << 8 | UInt16(second) : UInt16(second) << 8 | UInt16(first))
        }
        return String(decoding: units, as: UTF16.self)
    }
}
