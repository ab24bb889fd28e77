import Experiments
import HTTP

/// An address of the web, split as requests splits it.
struct RequestURL: Hashable, CustomStringConvertible {
    let isSecure: Bool
    let host: String
    /// As it is written, without the default.
    let givenPort: Int?
    /// The name and the password before the host, if there are any.
    let credentials: (user: String, password: String)?
    var path: String
    var query: String

    static func == (left: RequestURL, right: RequestURL) -> Bool { left.description == right.description }
    func hash(into hasher: inout Hasher) { hasher.combine(description) }

    var port: Int { givenPort ?? (isSecure ? 443 : 80) }

    /// The host, with its port if that is not the usual one.
    var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return givenPort.map { "\(host):\($0)" } ?? host
    }

    /// What stands in the request's first line.
    var target: String { path + (query.isEmpty ? "" : "?\(query)") }

    var description: String { "\(isSecure ? "https" : "http")://\(authority)\(target)" }

    /// Reads an address.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` with requests' name for what is wrong.
    init(_ text: String) throws(ActivityError) {
        let text = String(text.drop(while: \.isWhitespace))
        guard let colon = text.firstIndex(of: ":"),
            text[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }),
            text[..<colon].first?.isLetter ?? false
        else {
            throw .unexpected(
                "Invalid URL '\(text)': No scheme supplied. Perhaps you meant https://\(text)?"
            )
        }
        let scheme = text[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw .unexpected("No connection adapters were found for '\(text)'")
        }
        isSecure = scheme == "https"
        var rest = text[text.index(after: colon)...]
        guard rest.hasPrefix("//") else {
            throw .unexpected("Invalid URL '\(text)': No host supplied")
        }
        rest = rest.dropFirst(2)
        let authority = rest.prefix { !"/?#\\".contains($0) }
        rest = rest[authority.endIndex...]
        if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
        let mark = rest.firstIndex(of: "?") ?? rest.endIndex
        path = Self.withoutDots(Self.requoted(String(rest[..<mark]), allowing: "/:@!$&'()*+,;=~-._"))
        query =
            mark == rest.endIndex
            ? "" : Self.requoted(String(rest[rest.index(after: mark)...]), allowing: "/:@!$&'()*+,;=~-._?[]")
        var hostPort = authority
        if let at = authority.lastIndex(of: "@") {
            let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            credentials = (PercentEncoding.decode(parts[0]), parts.count > 1 ? PercentEncoding.decode(parts[1]) : "")
            hostPort = authority[authority.index(after: at)...]
        } else {
            credentials = nil
        }
        var port: Int?
        if let colon = hostPort.lastIndex(of: ":"), !hostPort[colon...].contains("]") {
            let digits = hostPort[hostPort.index(after: colon)...]
            guard digits.isEmpty || Int(digits).map({ (0...65_535).contains($0) }) ?? false else {
                throw .unexpected("Failed to parse: \(text)")
            }
            port = Int(digits)
            hostPort = hostPort[..<colon]
        }
        guard hostPort.hasPrefix("[") == hostPort.hasSuffix("]") else {
            throw .unexpected("Invalid IPv6 URL '\(text)'")
        }
        givenPort = port
        host = hostPort.lowercased().filter { $0 != "[" && $0 != "]" }
        guard !host.isEmpty, !host.hasPrefix("*"), !host.hasPrefix("."), !host.contains(" ") else {
            throw .unexpected("Invalid URL '\(text)': No host supplied")
        }
    }

    /// The address that a redirection from this one leads to.
    func following(_ location: String) throws(ActivityError) -> RequestURL {
        let scheme = isSecure ? "https" : "http"
        if location.hasPrefix("//") { return try RequestURL("\(scheme):\(location)") }
        // A scheme ends before anything else can begin: a query may well hold another address.
        if let sign = location.firstIndex(where: { ":/?#".contains($0) }), location[sign] == ":" {
            return try RequestURL(location)
        }
        if location.hasPrefix("/") { return try RequestURL("\(scheme)://\(authority)\(location)") }
        if location.hasPrefix("?") { return try RequestURL("\(scheme)://\(authority)\(path)\(location)") }
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return try RequestURL("\(scheme)://\(authority)\(folder)\(location)")
    }

    /// Whether what proves who asks is not shown when a redirection leads from here to `next`: another host, port or scheme is somebody
    /// else, except the secure form of the same.
    func hidesAuthorization(from next: RequestURL) -> Bool {
        if next.host != host { return true }
        if !isSecure, port == 80, next.isSecure, next.port == 443 { return false }
        return next.isSecure != isSecure || next.port != port
    }

    /// The path with `.` and `..` resolved.
    private static func withoutDots(_ path: String) -> String {
        var parts: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            switch segment {
            case "..": if parts.count > 1 { parts.removeLast() }
            case ".": break
            default: parts.append(segment)
            }
            if index == segments.count - 1, segment == ".." || segment == "." { parts.append("") }
        }
        let joined = parts.joined(separator: "/")
        return joined.hasPrefix("/") ? joined : "/" + joined
    }

    // MARK: Percent signs

    /// The text quoted, where percent signs that are followed by two digits everywhere stay what they are.
    private static func requoted(_ text: String, allowing signs: String) -> String {
        let bytes = Array(text.utf8)
        func isDigit(_ index: Int) -> Bool { index < bytes.count && Character(Unicode.Scalar(bytes[index])).isHexDigit }
        let isQuoted = bytes.indices.allSatisfy { bytes[$0] != UInt8(ascii: "%") || isDigit($0 + 1) && isDigit($0 + 2) }
        return PythonURL.quoted(text, allowing: isQuoted ? signs + "%" : signs)
    }
}
