import Documents
import Experiments
import HTTPTypes
import NIOCore
import XCTest

@testable import Activities

/// What redirections make of a request: each case is what Python's requests does.
final class RedirectionTests: XCTestCase {
    private func request(
        _ url: String, method: String = "GET", headers: Value.Object = [:], arguments: Value? = nil
    ) throws -> OutgoingRequest {
        try OutgoingRequest(
            HTTPCall(
                url: .string(url), method: method, headers: headers, arguments: arguments, timeout: nil,
                verifiesTLS: true, retriesMax: 0))
    }

    func testARedirectionLeadsWhereItsSchemeOrItsFirstSignSays() throws {
        let cases = [
            ("http://h:81/a/b?q", "/login?next=http://other/", "http://h:81/login?next=http://other/"),
            ("http://h/a/b", "c", "http://h/a/c"),
            ("http://h/a/b", "?x=a:b", "http://h/a/b?x=a:b"),
            ("https://h/a", "//other/c", "https://other/c"),
            ("https://h/a", "http://other:8/c", "http://other:8/c"),
            ("http://[::1]:8080/a/b", "c", "http://[::1]:8080/a/c"),
            ("http://[::1]/", "/x", "http://[::1]/x"),
        ]
        for (from, location, to) in cases {
            XCTAssertEqual(try RequestURL(from).following(location).description, to, "\(from) → \(location)")
        }
    }

    func testAnAddressOfTheSixthVersionKeepsItsBracketsInTheHostField() throws {
        let url = try RequestURL("http://[::1]:8080/")
        XCTAssertEqual(url.host, "::1")
        XCTAssertEqual(url.port, 8080)
        XCTAssertEqual(try request("http://[::1]:8080/").request(nil).authority, "[::1]:8080")
    }

    func testWhoAsksIsProvedToTheSameServerAlone() throws {
        let cases: [(from: String, to: String, isShown: Bool)] = [
            ("http://h/", "http://h/b", true), ("http://h/", "http://h:80/b", true),
            ("http://h/", "https://h/b", true), ("https://h/", "http://h/b", false),
            ("https://h:8443/", "http://h:8443/b", false), ("http://h:8080/", "https://h:8443/b", false),
            ("http://h:8080/", "https://h/b", false), ("http://h/", "http://other/b", false),
            ("http://h:1/", "http://h:2/b", false),
        ]
        for (from, to, isShown) in cases {
            var request = try request(from, headers: ["Authorization": "bearer x", "Cookie": "a=b"])
            XCTAssertEqual(try request.request(nil).headerFields[.cookie], "a=b")
            try request.follow(to, status: 302)
            let fields = try request.request(nil).headerFields
            XCTAssertEqual(fields[.authorization] != nil, isShown, "\(from) → \(to)")
            XCTAssertNil(fields[.cookie], "\(from) → \(to)")
        }
    }

    func testTheAddressesOwnCredentialsGoFirstAndStayOnTheServer() throws {
        var request = try request("http://user:p%40ss@h/a", headers: ["authorization": "bearer x"])
        let basic = HTTPActivityProvider.basicAuthorization(user: "user", password: "p@ss")
        XCTAssertEqual(try request.request(nil).headerFields[values: .authorization], [basic])
        try request.follow("/b", status: 302)
        XCTAssertEqual(try request.request(nil).headerFields[.authorization], basic)
        try request.follow("http://other/", status: 302)
        XCTAssertNil(try request.request(nil).headerFields[.authorization])
    }

    func testNothingHasATextInJSONAndNoneInAForm() throws {
        for (type, arguments, body) in [
            ("application/json", .object([:]), "{}"), ("application/json", .array([]), "[]"),
            ("application/json", .null, ""), ("text/plain", .object([:]), ""),
        ] as [(String, Value, String)] {
            let request = try request(
                "http://h/", method: "POST", headers: ["Content-Type": .string(type)], arguments: arguments)
            XCTAssertEqual(String(buffer: request.body), body, type)
        }
        XCTAssertEqual(try request("http://h/", arguments: .object([:])).url.description, "http://h/")
    }
}
