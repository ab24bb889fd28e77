import HTTPTypes
import NIOCore
import XCTest

@testable import HTTP

/// Messages as bytes: what is read of them, however they come, and what is no message.
final class HTTPMessageTests: XCTestCase {
    /// What is read of bytes that come in pieces, as text; the end of the connection follows the last.
    private static func read(
        _ role: HTTPMessageReader.Role, _ pieces: [String], expectsNoBody: Bool = false
    ) throws -> String {
        var reader = HTTPMessageReader(role)
        reader.expectsNoBody = expectsNoBody
        var text = ""
        func readParts() throws {
            while let part = try reader.next() {
                switch part {
                case .head(let head):
                    switch head.line {
                    case .request(let method, let target): text += "\(method) \(target) host \(head.host ?? "-")"
                    case .response(let status): text += "\(status.code) '\(status.reasonPhrase)'"
                    }
                    for field in head.fields { text += " \(field.name.rawName)=\(field.value)" }
                    text += head.keepsAlive ? " keep: " : " close: "
                case .body(let piece): text += String(buffer: piece)
                case .end: text += ". "
                }
            }
        }
        for piece in pieces {
            reader.append(ByteBuffer(string: piece))
            try readParts()
        }
        if reader.finish() { try readParts() }
        return text
    }

    private static let requests: [(String, String)] = [
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "GET / host a keep: . "),
        ("\r\n\r\nGET /x?y=%20 HTTP/1.0\r\n\r\n", "GET /x?y=%20 host - close: . "),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / host - Connection=Keep-Alive keep: . "),
        (
            "GET / HTTP/1.1\r\nX: \t a b \t\r\nConnection: x , close\r\n\r\n",
            "GET / host - X=a b Connection=x , close close: . "
        ),
        ("POST /p HTTP/1.1\r\ncontent-length: 5\r\n\r\nab\r\nc", "POST /p host - content-length=5 keep: ab\r\nc. "),
        ("POST /p HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "POST /p host - content-length=0 keep: . "),
        (
            "PUT /c HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: 1\r\n\r\n",
            "PUT /c host - Transfer-Encoding=gzip, Chunked keep: abc0123456789. "
        ),
    ]

    private static let responses: [(String, String)] = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "200 'OK' content-length=2 keep: hi. "),
        ("HTTP/1.1 204\r\nDate: now\r\n\r\n", "204 '' Date=now keep: . "),
        ("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", "304 'Not Modified' content-length=9 keep: . "),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n", "200 '' content-length=0 keep: . "),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            "200 'OK' transfer-encoding=chunked keep: x. "
        ),
    ]

    // However bytes are cut, the same is read: whole, byte by byte, in two pieces at each place, and one message behind the other.
    func testMessagesAreReadHoweverTheirBytesCome() throws {
        for (role, messages) in [(HTTPMessageReader.Role.requests, Self.requests), (.responses, Self.responses)] {
            for (text, expected) in messages + [(messages.map(\.0).joined(), messages.map(\.1).joined())] {
                let bytes = Array(text)
                XCTAssertEqual(try Self.read(role, [text]), expected)
                XCTAssertEqual(try Self.read(role, text.unicodeScalars.map { String($0) }), expected)
                for place in 1..<max(2, bytes.count) {
                    let pieces = [String(bytes.prefix(place)), String(bytes.dropFirst(place))]
                    XCTAssertEqual(try Self.read(role, pieces), expected, "cut at \(place)")
                }
            }
        }
    }

    func testAResponseWithoutALengthEndsWithTheConnection() throws {
        let head = "HTTP/1.0 200 OK\r\n\r\n"
        XCTAssertEqual(try Self.read(.responses, [head + "a", "b"]), "200 'OK' close: ab. ")
        XCTAssertEqual(
            try Self.read(.responses, ["HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"]),
            "200 'OK' content-length=3 keep: ab")
        XCTAssertEqual(
            try Self.read(.responses, ["HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"], expectsNoBody: true),
            "200 'OK' content-length=3 keep: . ")
    }

    // Two readers of the same bytes must not see two different messages: what could be read in two ways is not read at all.
    func testWhatIsNoMessageIsRefused() {
        let head = "POST / HTTP/1.1\r\n"
        let requests = [
            "HELLO WORLD\r\n\r\n", "NONSENSE\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
            "GET /\r\n\r\n",
            "G@T / HTTP/1.1\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n", "GET /é HTTP/1.1\r\n\r\n",
            " GET / HTTP/1.1\r\n\r\n",
            head + "a b: c\r\n\r\n", head + "a : c\r\n\r\n", head + ": c\r\n\r\n", head + "a\r\n\r\n",
            head + "a: b\r\n c\r\n\r\n", head + "a: \u{0}\r\n\r\n", head + "a: b\nc: d\r\n\r\n",
            head + "a: b\rc\r\n\r\n",
            head + "host: a\r\nhost: b\r\n\r\n", head + "content-length: 1\r\ncontent-length: 1\r\n\r\n",
            head + "content-length: -1\r\n\r\n", head + "content-length: +1\r\n\r\n", head + "content-length: \r\n\r\n",
            head + "content-length: 1, 1\r\n\r\n", head + "content-length: 99999999999999999999\r\n\r\n",
            head + "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", head + "transfer-encoding: gzip\r\n\r\n",
            head + "transfer-encoding: chunked\r\ntransfer-encoding: gzip\r\n\r\n",
            head + "transfer-encoding: chunked\r\n\r\nx\r\n", head + "transfer-encoding: chunked\r\n\r\n-1\r\n",
            head + "transfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
            head + "transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            head + "a: " + String(repeating: "x", count: HTTPMessageReader.headBytesMax + 1),
            head + String(repeating: "a: b\r\n", count: HTTPMessageReader.fieldsMax + 1) + "\r\n",
            head + "transfer-encoding: chunked\r\n\r\n" + String(repeating: "1", count: 20_000),
            head + "transfer-encoding: chunked\r\n\r\n0\r\n" + String(repeating: "t: 1\r\n", count: 4000),
        ]
        for text in requests { XCTAssertThrowsError(try Self.read(.requests, [text]), String(text.prefix(80))) }
        for text in [
            "HELLO", "<<<", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 200OK\r\n\r\n",
            "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1  200\r\n\r\n",
        ] {
            XCTAssertThrowsError(try Self.read(.responses, [text]), text)
        }
    }

    func testHeadsAreWrittenWithTheLengthOfTheirBodyAlone() {
        var request = HTTPRequest(method: .put, scheme: nil, authority: nil, path: "/a?b")
        request.headerFields.append(HTTPField(name: .accept, value: "x"))
        request.headerFields.append(HTTPField(name: .contentLength, value: "7"))
        request.headerFields.append(HTTPField(name: .transferEncoding, value: "chunked"))
        XCTAssertEqual(
            String(buffer: HTTPMessageWriter.head(request, authority: "h:1", bodyBytes: 3)),
            "PUT /a?b HTTP/1.1\r\nhost: h:1\r\nAccept: x\r\ncontent-length: 3\r\n\r\n")
        request.method = .get
        request.authority = "other"
        XCTAssertEqual(
            String(buffer: HTTPMessageWriter.head(request, authority: "h:1", bodyBytes: 0)),
            "GET /a?b HTTP/1.1\r\nhost: other\r\nAccept: x\r\n\r\n")
        let response = HTTPResponse(status: .ok, headerFields: [.eTag: "e"])
        XCTAssertEqual(
            String(buffer: HTTPMessageWriter.head(response, bodyBytes: 0, keepsAlive: true)),
            "HTTP/1.1 200 OK\r\nETag: e\r\ncontent-length: 0\r\n\r\n")
        XCTAssertEqual(
            String(buffer: HTTPMessageWriter.head(HTTPResponse(status: .noContent), bodyBytes: 0, keepsAlive: false)),
            "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
    }
}
