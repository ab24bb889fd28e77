import Documents
import Experiments
import HTTP
import HTTPTypes
import NIOCore

/// A request as requests would build it, and what redirections make of it.
struct OutgoingRequest {
    private(set) var url: RequestURL
    private(set) var method: String
    private(set) var body: ByteBuffer = ByteBuffer()
    private var fields: [(name: String, value: String)] = []

    init(_ call: HTTPCall) throws(ActivityError) {
        guard let text = call.url.string else {
            throw .unexpected("a URL is a string, not \(call.url.kind)")
        }
        url = try RequestURL(text)
        method = call.method.uppercased()
        guard method.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !method.isEmpty else {
            throw .unexpected("'\(call.method)' is not an HTTP method")
        }
        for (name, value) in call.headers where !value.isNull {
            guard let value = value.string, HTTPField.isValidValue(value), value.first?.isWhitespace != true else {
                throw .unexpected(
                    "the value of '\(name)' must be a string without line breaks")
            }
            guard HTTPField.Name(name) != nil else {
                throw .unexpected("'\(name)' is not the name of a header")
            }
            fields.append((name, value))
        }
        // The address' own name and password go before what the fields say.
        if let (user, password) = url.credentials {
            remove(["authorization"])
            fields.append(("Authorization", HTTPClient.basicAuthorization(user: user, password: password).value))
        }
        guard let arguments = call.arguments, !arguments.isNull else { return }
        let isJSON = method != "GET" && call.headers["Content-Type"] == "application/json"
        // Nothing at all is sent of what is empty, but JSON has a word for it.
        guard arguments.isTruthy || isJSON else { return }
        if method == "GET" {
            let query = try Self.form(arguments, isQuery: true)
            if !query.isEmpty { url.query += (url.query.isEmpty ? "" : "&") + query }
        } else if isJSON {
            body = ByteBuffer(string: JSONWriter.write(arguments))
        } else if let text = arguments.string {
            body = ByteBuffer(string: text)
        } else {
            body = ByteBuffer(string: try Self.form(arguments, isQuery: false))
            if !has("content-type") { fields.append(("Content-Type", "application/x-www-form-urlencoded")) }
        }
    }

    /// Names and values as a form sends them: lists repeat the name, nothing is left out, an object shows its names.
    private static func form(_ arguments: Value, isQuery: Bool) throws(ActivityError) -> String {
        if let text = arguments.string { return PythonURL.quoted(text, allowing: "/%:@!$&'()*+,;=~-._?") }
        var pairs: [(String, Value)] = []
        if let object = arguments.object {
            pairs = object.map { ($0.key, $0.value) }
        } else if let list = arguments.array {
            for element in list {
                guard let pair = element.array, pair.count == 2 else {
                    throw .unexpected("arguments of a request as a list are pairs of a name and a value")
                }
                pairs.append((text(pair[0]), pair[1]))
            }
        } else {
            throw .unexpected("the arguments of a request cannot be \(arguments.kind)")
        }
        var parts: [String] = []
        for (name, value) in pairs {
            let values: [Value]
            switch value {
            case .array(let list): values = list
            case .object(let object): values = object.keys.map(Value.string)
            case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: values = [value]
            }
            for value in values where !value.isNull {
                parts.append("\(PythonURL.formQuoted(name))=\(PythonURL.formQuoted(text(value)))")
            }
        }
        return parts.joined(separator: "&")
    }

    private static func text(_ value: Value) -> String { value.pythonText }

    private mutating func remove(_ names: [String]) {
        fields.removeAll { names.contains($0.name.lowercased()) }
    }

    private func has(_ name: String) -> Bool { fields.contains { $0.name.lowercased() == name } }

    /// The request to send.
    func request(_ cookies: String?) throws(ActivityError) -> HTTPRequest {
        guard let method = HTTPRequest.Method(method) else {
            throw .unexpected("'\(self.method)' is not an HTTP method")
        }
        var request = HTTPRequest(method: method, scheme: nil, authority: url.authority, path: url.target)
        if let host = fields.first(where: { $0.name.lowercased() == "host" }) { request.authority = host.value }
        let defaults = [
            ("User-Agent", "windkanal"), ("Accept-Encoding", "gzip, deflate"), ("Accept", "*/*"),
        ]
        for (name, value) in defaults + fields where name.lowercased() != "host" {
            guard let name = HTTPField.Name(name) else { continue }
            request.headerFields[name] = value
        }
        if let cookies { request.headerFields[.cookie] = cookies }
        return request
    }

    // MARK: Redirections

    func isRedirected(by status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }

    /// Goes on where a redirection leads: most turn the request into a GET without a body.
    mutating func follow(_ location: String, status: Int) throws(ActivityError) {
        let next = try url.following(location)
        if status == 303 && method != "HEAD" || status == 302 && method != "HEAD" || status == 301 && method == "POST" {
            method = "GET"
        }
        if status != 307, status != 308 {
            body = ByteBuffer()
            remove(["content-type", "content-length", "transfer-encoding"])
        }
        if url.hidesAuthorization(from: next) { remove(["authorization"]) }
        // What the experiment says of cookies is for the first request; the jar knows better.
        remove(["cookie"])
        url = next
    }
}

/// The cookies of one activity: what an answer sets is sent to the same host while redirections are followed.
struct CookieJar {
    private var cookies: [(host: String, name: String, value: String)] = []

    mutating func take(_ fields: HTTPFields, host: String) {
        for field in fields[values: .setCookie] {
            let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let name = String(pair[0]).trimmed
            cookies.removeAll { $0.host == host && $0.name == name }
            cookies.append((host, name, String(pair[1]).trimmed))
        }
    }

    func header(for host: String) -> String? {
        let mine = cookies.filter { $0.host == host }.map { "\($0.name)=\($0.value)" }
        return mine.isEmpty ? nil : mine.joined(separator: "; ")
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
