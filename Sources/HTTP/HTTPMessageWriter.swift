import HTTPTypes
import NIOCore

/// Writes the heads of HTTP/1.1 messages; how long a body is, is said by its length alone.
enum HTTPMessageWriter {
    /// The head of a request that has a body of so many bytes; without an authority of its own it gets the one that is given.
    static func head(
        _ request: HTTPRequest, authority: String, bodyBytes: Int, acceptsCompression: Bool = false
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(256)
        buffer.writeString(request.method.rawValue)
        buffer.writeStaticString(" ")
        buffer.writeString(request.path ?? "/")
        buffer.writeStaticString(" HTTP/1.1\r\n")
        write("host", request.authority ?? authority, to: &buffer)
        write(request.headerFields, to: &buffer)
        if bodyBytes > 0 || request.method == .post || request.method == .put { writeLength(bodyBytes, to: &buffer) }
        if acceptsCompression, request.headerFields[.acceptEncoding] == nil {
            write("Accept-Encoding", "deflate, gzip", to: &buffer)
        }
        buffer.writeStaticString("\r\n")
        return buffer
    }

    /// The head of a response that has a body of so many bytes, or would have it if it were not asked for by HEAD.
    static func head(_ response: HTTPResponse, bodyBytes: Int, keepsAlive: Bool) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(256)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(response.status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(response.status.reasonPhrase)
        buffer.writeStaticString("\r\n")
        write(response.headerFields, to: &buffer)
        if response.status.mayHaveBody { writeLength(bodyBytes, to: &buffer) }
        if !keepsAlive { write("connection", "close", to: &buffer) }
        buffer.writeStaticString("\r\n")
        return buffer
    }

    private static func write(_ fields: HTTPFields, to buffer: inout ByteBuffer) {
        for field in fields {
            switch field.name.canonicalName {
            // Where a body ends is for the writer to say.
            case "content-length", "transfer-encoding": continue
            default: write(field.name.rawName, field.value, to: &buffer)
            }
        }
    }

    private static func write(_ name: String, _ value: String, to buffer: inout ByteBuffer) {
        buffer.writeString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }

    private static func writeLength(_ bytes: Int, to buffer: inout ByteBuffer) {
        write("content-length", String(bytes), to: &buffer)
    }
}

extension HTTPResponse.Status {
    /// Whether a response may have a body.
    var mayHaveBody: Bool { code >= 200 && code != 204 && code != 304 }
}
