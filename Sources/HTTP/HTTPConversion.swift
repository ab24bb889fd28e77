import HTTPTypes
import NIOHTTP1

/// Between swift-http-types, which users see, and NIO's heads, for handlers that decode what comes.
enum HTTPConversion {
    static func head(_ request: HTTPRequest, authority: String, bodyBytes: Int) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(request.headerFields.count + 2)
        headers.add(name: "host", value: request.authority ?? authority)
        for field in request.headerFields { headers.add(name: field.name.rawName, value: field.value) }
        if bodyBytes > 0 || request.method == .post || request.method == .put {
            headers.replaceOrAdd(name: "content-length", value: String(bodyBytes))
        }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue), uri: request.path ?? "/",
            headers: headers)
    }

    static func response(_ head: HTTPResponseHead) -> HTTPResponse {
        var response = HTTPResponse(
            status: .init(code: Int(head.status.code), reasonPhrase: head.status.reasonPhrase))
        for (name, value) in head.headers {
            // Names that are no tokens were refused by the parser.
            if let name = HTTPField.Name(name) { response.headerFields.append(HTTPField(name: name, value: value)) }
        }
        return response
    }
}
