import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Randomness
import XCTest

@testable import HTTP

/// Our reader of messages against NIO's: whatever ours takes, both read alike, so that no peer of ours sees other messages in the same bytes.
final class HTTPDifferentialTests: XCTestCase {
    /// A message as both tell it.
    private struct Message: Equatable, CustomStringConvertible {
        var line: String
        var fields: [String] = []
        var body: String = ""
        var description: String { "\(line) \(fields) '\(body)'" }
    }

    private static let requests: [String] = [
        "GET /a?b=%20 HTTP/1.1\r\nhost: h:80\r\naccept: */*\r\n\r\n",
        "POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab\r\nc",
        "PUT /c HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: 1\r\n\r\n",
        "DELETE / HTTP/1.0\r\nconnection: keep-alive\r\nx: \t a, b \t\r\n\r\n",
    ]
    private static let responses: [String] = [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: y\r\n\r\nhi",
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        "HTTP/1.0 503 Service Unavailable\r\nretry-after: 30\r\n\r\nlater",
    ]
    /// What mutations put in: what has a meaning somewhere in a message.
    private static let pieces: [String] = [
        "\r\n", "\n", "\r", " ", "\t", ":", ";", ",", "0", "1", "f", "-", "+", "\0", "é", "chunked",
        "content-length: 1\r\n",
        "transfer-encoding: chunked\r\n", "connection: close\r\n", "HTTP/1.1", "host: x\r\n", "100", "gzip, ",
        "0\r\n\r\n",
    ]

    private static func mutated(_ text: String, _ random: inout RandomStream) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<random.index(below: 4) {
            let place = random.index(below: bytes.count)
            switch random.index(below: 4) {
            case 0: bytes.insert(contentsOf: pieces[random.index(below: pieces.count)].utf8, at: place)
            case 1: bytes.remove(at: place)
            case 2: bytes[place] = UInt8(random.index(below: 256))
            default:
                let end = min(bytes.count, place + random.index(below: 12))
                bytes.insert(contentsOf: bytes[place..<end], at: min(bytes.count, random.index(below: bytes.count + 1)))
            }
            if bytes.isEmpty { break }
        }
        return bytes
    }

    /// What our reader takes of bytes; nil if it refuses something of them.
    private static func ours(_ bytes: [UInt8], _ role: HTTPMessageReader.Role) -> [Message]? {
        var reader = HTTPMessageReader(role)
        reader.append(ByteBuffer(bytes: bytes))
        var messages: [Message] = []
        var open: Message?
        do {
            func read() throws {
                while let part = try reader.next() {
                    switch part {
                    case .head(let head):
                        var message: Message
                        switch head.line {
                        case .request(let method, let target): message = Message(line: "\(method.rawValue) \(target)")
                        case .response(let status): message = Message(line: "\(status.code) \(status.reasonPhrase)")
                        }
                        message.fields = head.fields.map { "\($0.name.canonicalName)=\($0.value)" }
                        if let host = head.host { message.fields.append("host=\(host)") }
                        message.fields.sort()
                        open = message
                    case .body(let piece): open?.body += String(buffer: piece)
                    case .end:
                        if let message = open { messages.append(message) }
                        open = nil
                    }
                }
            }
            try read()
            if reader.finish() { try read() }
        } catch {
            return nil
        }
        return messages
    }

    /// White space around a value is not a part of it; NIO leaves tabs.
    private static func trimmed(_ text: String) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// What NIO's parser reads of the same bytes, and whether it refuses something.
    private static func theirs(
        _ bytes: [UInt8], _ role: HTTPMessageReader.Role
    ) -> (messages: [Message], refuses: Bool) {
        let channel = EmbeddedChannel()
        var messages: [Message] = []
        var open: Message?
        func fields(_ headers: HTTPHeaders) -> [String] {
            headers.map { "\($0.name.lowercased())=\(trimmed($0.value))" }.sorted()
        }
        do {
            switch role {
            case .requests: try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
            case .responses: try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPResponseDecoder()))
            }
        } catch {
            XCTFail("\(error)")
        }
        channel.pipeline.fireChannelActive()
        var refuses = false
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { refuses = true }
        channel.pipeline.fireChannelInactive()
        do { try channel.throwIfErrorCaught() } catch { refuses = true }
        func end() {
            if let message = open { messages.append(message) }
            open = nil
        }
        switch role {
        case .requests:
            while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
                switch part {
                case .head(let head):
                    open = Message(line: "\(head.method.rawValue) \(head.uri)", fields: fields(head.headers))
                case .body(let piece): open?.body += String(buffer: piece)
                case .end: end()
                }
            }
        case .responses:
            while let part = try? channel.readInbound(as: HTTPClientResponsePart.self) {
                switch part {
                case .head(let head):
                    guard head.status.code >= 200 else { continue }
                    open = Message(
                        line: "\(head.status.code) \(head.status.reasonPhrase)", fields: fields(head.headers))
                case .body(let piece): open?.body += String(buffer: piece)
                case .end: end()
                }
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return (messages, refuses)
    }

    func testWhateverIsTakenIsReadAlikeByNIO() {
        var random = RandomStream(seed: 1)
        var taken = 0
        for (role, texts) in [(HTTPMessageReader.Role.requests, Self.requests), (.responses, Self.responses)] {
            for _ in 0..<4000 {
                let bytes = Self.mutated(texts[random.index(below: texts.count)], &random)
                guard let messages = Self.ours(bytes, role), !messages.isEmpty else { continue }
                taken += 1
                let (others, refuses) = Self.theirs(bytes, role)
                // NIO knows a list of methods and versions, and refuses others: then what it read before must be the same.
                if refuses ? !messages.starts(with: others) : messages != others {
                    XCTFail(
                        "\(String(decoding: bytes, as: UTF8.self).debugDescription)\nours \(messages)\nNIO's \(others)")
                }
            }
        }
        XCTAssertGreaterThan(taken, 3000, "most of what comes must be messages, or nothing is compared")
    }
}
