import HTTPTypes
import NIOCore

/// Reads HTTP/1.1 messages from the bytes of a connection, one after the other (RFC 9112).
///
/// A value without channel or clock: bytes go in as they come, parts come out. It is strict where leniency lets two readers see two different
/// messages in the same bytes: no folded lines, no line feeds without their carriage return, no length that is said twice or in two ways.
///
/// Our own, because a parser that reports piece by piece through a channel's handlers takes a third of a simulated request's time.
struct HTTPMessageReader {
    /// What comes in.
    enum Role: Hashable {
        case requests
        case responses
    }

    /// A piece of a message, in the order in which it comes.
    enum Part {
        case head(Head)
        case body(ByteBuffer)
        case end
    }

    /// What stands before a message's body.
    struct Head {
        let line: StartLine
        /// All fields but `Host`.
        var fields: HTTPFields = HTTPFields()
        var host: String?
        /// Whether the connection may be used for another message behind this one.
        var keepsAlive: Bool
        /// The bytes of the target and of the fields' names and values.
        var bytes: Int

        /// Whether it is a response before the real one.
        var isInterim: Bool {
            if case .response(let status) = line { status.code < 200 } else { false }
        }
    }

    /// The first line of a message.
    enum StartLine: Hashable {
        case request(method: HTTPRequest.Method, target: String)
        case response(HTTPResponse.Status)
    }

    /// The most bytes before a message's body.
    static let headBytesMax: Int = 80 << 10
    /// The most fields of a message.
    static let fieldsMax: Int = 1000
    /// The longest line that says how long a chunk is, and the most bytes of a trailer.
    static let chunkLineBytesMax: Int = 16 << 10

    private enum State {
        /// Can become each of the others.
        case head
        /// So many bytes of the body are to come. Can become `end`.
        case body(Int)
        /// Everything that comes is body. Can become `end`, by the connection's end.
        case rest
        /// The line comes that says how long the next chunk is. Can become `chunk` and `trailer`.
        case chunkSize
        /// So many bytes of the chunk are to come. Can become `chunkEnd`.
        case chunk(Int)
        /// The line's end behind a chunk comes. Can become `chunkSize`.
        case chunkEnd
        /// Fields behind the body come, which nobody looks at. Can become `end`.
        case trailer(bytes: Int)
        /// The message is there; the next begins behind it. Can become `head`.
        case end
    }

    /// Whether responses have no body, as those to HEAD.
    var expectsNoBody: Bool = false
    private let role: Role
    private var state: State = .head
    private var buffer: ByteBuffer = ByteBuffer()
    /// Bytes that were looked at for the end of a head.
    private var searched: Int = 0

    init(_ role: Role) {
        self.role = role
    }

    /// Whether nothing has come since the end of a message.
    var isBetweenMessages: Bool {
        if case .head = state { buffer.readableBytes == 0 } else { false }
    }

    /// Takes bytes that have come.
    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 { buffer = bytes } else { buffer.writeImmutableBuffer(bytes) }
    }

    /// The connection has ended; whether that ends a message, whose parts can be read then.
    mutating func finish() -> Bool {
        guard case .rest = state else { return false }
        state = .end
        return true
    }

    /// The next part; nil if more bytes are needed.
    mutating func next() throws(HTTPSyntaxError) -> Part? {
        while true {
            switch state {
            case .head:
                guard let head = try readHead() else { return nil }
                if !head.isInterim { return .head(head) }
                // The real one follows.
                state = .head
            case .body(let left):
                guard let piece = take(left) else { return nil }
                state = piece.readableBytes == left ? .end : .body(left - piece.readableBytes)
                return .body(piece)
            case .rest: return take(.max).map { .body($0) }
            case .chunkSize:
                guard let line = try readLine() else { return nil }
                let size = try Self.chunkSize(line)
                state = size == 0 ? .trailer(bytes: 0) : .chunk(size)
            case .chunk(let left):
                guard let piece = take(left) else { return nil }
                state = piece.readableBytes == left ? .chunkEnd : .chunk(left - piece.readableBytes)
                return .body(piece)
            case .chunkEnd:
                guard let line = try readLine() else { return nil }
                guard line.readableBytes == 0 else { throw HTTPSyntaxError("a chunk is longer than it says") }
                state = .chunkSize
            case .trailer(let bytes):
                guard let line = try readLine() else { return nil }
                guard bytes <= Self.chunkLineBytesMax else { throw HTTPSyntaxError("the trailer is too long") }
                state = line.readableBytes == 0 ? .end : .trailer(bytes: bytes + line.readableBytes + 2)
            case .end:
                state = .head
                return .end
            }
        }
    }

    private mutating func take(_ count: Int) -> ByteBuffer? {
        guard buffer.readableBytes > 0 else { return nil }
        return buffer.readSlice(length: min(count, buffer.readableBytes))
    }

    // MARK: Lines

    private mutating func readLine() throws(HTTPSyntaxError) -> ByteBuffer? {
        guard let end = Self.lineEnd(in: buffer.readableBytesUInt8Span, from: 0) else {
            guard buffer.readableBytes <= Self.chunkLineBytesMax else { throw HTTPSyntaxError("a line is too long") }
            return nil
        }
        let line = buffer.readSlice(length: end)
        buffer.moveReaderIndex(forwardBy: 2)
        return line
    }

    /// Where the next carriage return and line feed stand.
    private static func lineEnd(in bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + 1 < bytes.count {
            if bytes[index + 1] == UInt8(ascii: "\n") {
                if bytes[index] == UInt8(ascii: "\r") { return index }
                index += 2
            } else {
                index += 1
            }
        }
        return nil
    }

    private static func chunkSize(_ line: ByteBuffer) throws(HTTPSyntaxError) -> Int {
        // What stands behind a semicolon are extensions, of which nobody knows any.
        let digits = line.readableBytesView.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
        guard (1...15).contains(digits.count), let size = Int(String(decoding: digits, as: UTF8.self), radix: 16),
            digits.first.map({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) ?? false
        else { throw HTTPSyntaxError("the length of a chunk is no hexadecimal number") }
        return size
    }

    // MARK: Heads

    private mutating func readHead() throws(HTTPSyntaxError) -> Head? {
        // Line ends between messages are nobody's.
        while role == .requests, buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) == 0x0d0a {
            buffer.moveReaderIndex(forwardBy: 2)
            searched = 0
        }
        let received = buffer
        let bytes = received.readableBytesUInt8Span
        guard let end = Self.headEnd(in: bytes, from: max(0, searched - 3)) else {
            guard bytes.count <= Self.headBytesMax else { throw HTTPSyntaxError("the head is too long") }
            guard Self.mayBegin(with: bytes, role) else { throw HTTPSyntaxError("no message begins like this") }
            searched = bytes.count
            return nil
        }
        guard end <= Self.headBytesMax else { throw HTTPSyntaxError("the head is too long") }
        let (head, framing) = try Self.head(bytes.extracting(0..<end), role)
        searched = 0
        buffer.moveReaderIndex(forwardBy: end + 2)
        state = try state(behind: head, framing)
        return head
    }

    /// Whether a head of which not all has come may be one: what is something else need not be waited for.
    private static func mayBegin(with bytes: Span<UInt8>, _ role: Role) -> Bool {
        guard role == .responses else { return bytes.isEmpty || bytes[0] > 0x20 && bytes[0] < 0x7f || bytes[0] == 0x0d }
        for index in 0..<min(bytes.count, version.utf8CodeUnitCount) where bytes[index] != byte(index, of: version) {
            return false
        }
        return true
    }

    private static let version: StaticString = "HTTP/1."

    private static func byte(_ index: Int, of text: StaticString) -> UInt8 { unsafe text.utf8Start[index] }

    /// Where the empty line begins that ends a head; the end of the last line before it belongs to the head.
    private static func headEnd(in bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start + 3
        while index < bytes.count {
            // Four bytes at a time where none of them can be the last of the end.
            switch bytes[index] {
            case UInt8(ascii: "\n"):
                if bytes[index - 1] == UInt8(ascii: "\r"), bytes[index - 2] == UInt8(ascii: "\n"),
                    bytes[index - 3] == UInt8(ascii: "\r")
                {
                    return index - 1
                }
                index += 2
            case UInt8(ascii: "\r"): index += 1
            default: index += 4
            }
        }
        return nil
    }

    /// What a head says of the body behind it.
    private struct Framing {
        var length: Int?
        var isChunked: Bool = false
        /// Something else than chunks, which only the connection's end can end.
        var isCoded: Bool = false
    }

    private func state(behind head: Head, _ framing: Framing) throws(HTTPSyntaxError) -> State {
        if framing.isChunked || framing.isCoded, framing.length != nil {
            throw HTTPSyntaxError("the length of the body is said in two ways")
        }
        switch head.line {
        case .request:
            guard !framing.isCoded else { throw HTTPSyntaxError("nobody can tell where the body ends") }
            return framing.isChunked ? .chunkSize : framing.length.map { $0 == 0 ? .end : .body($0) } ?? .end
        case .response(let status):
            if expectsNoBody || status.code < 200 || status.code == 204 || status.code == 304 { return .end }
            if framing.isChunked { return .chunkSize }
            return framing.length.map { $0 == 0 ? .end : .body($0) } ?? .rest
        }
    }

    private static func head(
        _ bytes: Span<UInt8>, _ role: Role
    ) throws(HTTPSyntaxError) -> (head: Head, framing: Framing) {
        guard let lineEnd = lineEnd(in: bytes, from: 0) else { throw HTTPSyntaxError("there is no first line") }
        let line = bytes.extracting(0..<lineEnd)
        let (start, minorVersion) = role == .requests ? try requestLine(line) : try statusLine(line)
        var head = Head(line: start, keepsAlive: minorVersion > 0, bytes: 0)
        if case .request(_, let target) = start { head.bytes = target.utf8.count }
        var framing = Framing()
        var index = lineEnd + 2
        while index < bytes.count {
            guard let end = Self.lineEnd(in: bytes, from: index) else { throw HTTPSyntaxError("a field does not end") }
            try readField(bytes.extracting(index..<end), into: &head, &framing)
            index = end + 2
        }
        return (head, framing)
    }

    private static func requestLine(
        _ line: Span<UInt8>
    ) throws(HTTPSyntaxError) -> (StartLine, minorVersion: Int) {
        guard let first = index(of: 0x20, in: line, from: 0), let second = index(of: 0x20, in: line, from: first + 1),
            second > first + 1, let version = minorVersion(line.extracting((second + 1)...)),
            let method = HTTPRequest.Method(text(line.extracting(0..<first)))
        else { throw HTTPSyntaxError("the first line is not that of a request") }
        let target = line.extracting((first + 1)..<second)
        for index in target.indices where !(0x21...0x7e).contains(target[index]) {
            throw HTTPSyntaxError("the target has a character that no address has")
        }
        return (.request(method: method, target: text(target)), version)
    }

    private static func statusLine(
        _ line: Span<UInt8>
    ) throws(HTTPSyntaxError) -> (StartLine, minorVersion: Int) {
        // The reason may be missing, and the space before it too.
        guard line.count >= 12, let version = minorVersion(line.extracting(0..<8)), line[8] == 0x20,
            let code = number(line.extracting(9..<12)), code >= 100, line.count == 12 || line[12] == 0x20
        else { throw HTTPSyntaxError("the first line is not that of a response") }
        let reason = line.count > 13 ? text(line.extracting(13...)) : ""
        return (.response(HTTPResponse.Status(code: code, reasonPhrase: reason)), version)
    }

    /// The minor version of HTTP 1.
    private static func minorVersion(_ text: Span<UInt8>) -> Int? {
        guard text.count == 8 else { return nil }
        for index in 0..<7 where text[index] != byte(index, of: version) { return nil }
        return number(text.extracting(7...))
    }

    private static func readField(
        _ line: Span<UInt8>, into head: inout Head, _ framing: inout Framing
    ) throws(HTTPSyntaxError) {
        guard head.fields.count < fieldsMax else { throw HTTPSyntaxError("there are too many fields") }
        guard let colon = index(of: UInt8(ascii: ":"), in: line, from: 0) else {
            throw HTTPSyntaxError("a field has no colon")
        }
        guard let name = fieldName(text(line.extracting(0..<colon))) else {
            throw HTTPSyntaxError("the name of a field is no token")
        }
        var (first, end) = (colon + 1, line.count)
        while first < end, line[first] == 0x20 || line[first] == 0x09 { first += 1 }
        while end > first, line[end - 1] == 0x20 || line[end - 1] == 0x09 { end -= 1 }
        let bytes = line.extracting(first..<end)
        for index in bytes.indices where bytes[index] < 0x20 && bytes[index] != 0x09 || bytes[index] == 0x7f {
            throw HTTPSyntaxError("the field '\(name)' has a control character")
        }
        let value = text(bytes)
        head.bytes += colon + value.utf8.count
        switch name.canonicalName {
        case "host":
            guard head.host == nil else { throw HTTPSyntaxError("the host is named twice") }
            return head.host = value
        case "content-length":
            guard framing.length == nil, let length = number(bytes) else {
                throw HTTPSyntaxError("the length of the body is said twice, or is no number")
            }
            framing.length = length
        case "transfer-encoding":
            // Only what is chunked last, and once, ends by itself.
            guard !framing.isChunked else { throw HTTPSyntaxError("something is coded behind the chunks") }
            let last = value.split(separator: ",").last.map { HTTPTokens.trimmed($0) } ?? ""
            framing.isChunked = last.lowercased() == "chunked"
            framing.isCoded = !framing.isChunked
        case "connection":
            if HTTPTokens.contains("close", in: value) {
                head.keepsAlive = false
            } else if HTTPTokens.contains("keep-alive", in: value) {
                head.keepsAlive = true
            }
        default: break
        }
        head.fields.append(HTTPField(name: name, value: value))
    }

    // MARK: Texts

    /// The name of a field; nil for what is no token.
    ///
    /// Those that come with every message are known, and not looked at byte by byte.
    private static func fieldName(_ name: String) -> HTTPField.Name? {
        switch name {
        case "Content-Type": .contentType
        case "Date": .date
        case "host": host
        case "content-length": contentLength
        default: HTTPField.Name(name)
        }
    }

    private static let host: HTTPField.Name? = HTTPField.Name("host")
    private static let contentLength: HTTPField.Name? = HTTPField.Name("content-length")

    private static func index(of byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// A number of decimal digits and nothing else.
    private static func number(_ bytes: Span<UInt8>) -> Int? {
        guard (1...18).contains(bytes.count) else { return nil }
        var number = 0
        for index in bytes.indices {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) else { return nil }
            number = number * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        return number
    }

    /// The text of bytes; what is no UTF-8 is replaced.
    private static func text(_ bytes: Span<UInt8>) -> String {
        if let text = try? UTF8Span(validating: bytes) { return String(copying: text) }
        return unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// Why bytes are no HTTP message.
struct HTTPSyntaxError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Lists of words in fields, such as `keep-alive, Upgrade`.
enum HTTPTokens {
    static func contains(_ token: String, in list: String) -> Bool {
        list.split(separator: ",").contains { trimmed($0).lowercased() == token }
    }

    static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}
