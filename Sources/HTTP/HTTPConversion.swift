import HTTPTypes
import NIOHTTP1

/// Between swift-http-types, which users see, and NIO's heads, which the codecs read and write.
enum HTTPConversion {
    static func head(_ request: HTTPRequest, bodyBytes: Int) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(request.headerFields.count + 2)
        if let authority = request.authority { headers.add(name: "host", value: authority) }
        for field in request.headerFields { headers.add(name: field.name.rawName, value: field.value) }
        if bodyBytes > 0 || request.method == .post || request.method == .put {
            headers.replaceOrAdd(name: "content-length", value: String(bodyBytes))
        }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue), uri: request.path ?? "/",
            headers: headers)
    }

    /// Nil for a method or field that HTTP does not allow.
    static func request(_ head: HTTPRequestHead) -> HTTPRequest? {
        guard let method = HTTPRequest.Method(head.method.rawValue) else { return nil }
        var request = HTTPRequest(method: method, scheme: nil, authority: nil, path: head.uri)
        for (name, value) in head.headers {
            guard let name = fieldName(name) else { return nil }
            if name.canonicalName == "host" {
                request.authority = value
            } else {
                request.headerFields.append(HTTPField(name: name, value: value))
            }
        }
        return request
    }

    static func head(_ response: HTTPResponse, bodyBytes: Int, keepsAlive: Bool) -> HTTPResponseHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.headerFields.count + 2)
        for field in response.headerFields { headers.add(name: field.name.rawName, value: field.value) }
        let status = HTTPResponseStatus(
            statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase)
        if status.mayHaveResponseBody { headers.replaceOrAdd(name: "content-length", value: String(bodyBytes)) }
        if !keepsAlive { headers.replaceOrAdd(name: "connection", value: "close") }
        return HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    }

    static func response(_ head: HTTPResponseHead) -> HTTPResponse {
        var response = HTTPResponse(
            status: .init(code: Int(head.status.code), reasonPhrase: head.status.reasonPhrase))
        for (name, value) in head.headers {
            // Names that are no tokens were refused by the parser.
            if let name = fieldName(name) { response.headerFields.append(HTTPField(name: name, value: value)) }
        }
        return response
    }

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
}
