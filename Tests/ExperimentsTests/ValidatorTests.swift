import Documents
import Foundation
import XCTest

@testable import Experiments

final class ValidatorTests: XCTestCase {
    private func findings(_ document: Document, variables: Variables = Variables()) async -> [Finding] {
        var validator = Validator(
            Experiment(document, origin: "test"), providers: FakeProviders(), environment: ["HOME": "/root"],
            variables: variables)
        return await validator.validate()
    }

    private func findings(_ value: Value, variables: Variables = Variables()) async -> [Finding] {
        await findings(Document(value: value), variables: variables)
    }

    // One file for each error; fixtures/experiments/invalid.json says what must be said of it.
    func testEveryErrorIsNamed() async throws {
        let expected = try JSONReader.read(Data(contentsOf: Fixtures.root.appending(path: "experiments/invalid.json")))
        let files = try Fixtures.experiments("experiments/invalid")
        XCTAssertEqual(files.map(\.lastPathComponent), expected.object?.keys.sorted())
        for file in files {
            let errors = await findings(try JSONReader.readDocument(Data(contentsOf: file)))
                .filter { $0.severity == .error }
            let message = try XCTUnwrap(expected[file.lastPathComponent]?.string)
            XCTAssertEqual(errors.count, 1, "\(file.lastPathComponent): \(errors)")
            XCTAssertTrue(errors.first?.message.contains(message) ?? false, "\(file.lastPathComponent): \(errors)")
        }
    }

    func testTheValidFixturesAreValid() async throws {
        for file in try Fixtures.experiments("experiments/valid") {
            let text = try String(contentsOf: file, encoding: .utf8)
            let document =
                file.pathExtension == "json"
                ? try JSONReader.readDocument(text.utf8) : try YAMLReader.readDocument(text)
            let found = await findings(document)
            XCTAssertEqual(found, [], file.lastPathComponent)
        }
    }

    // The reference stops at the first of these.
    func testAllErrorsAreNamedAtOnceWithTheirPlaces() async throws {
        let text = """
            {
              "title": "t",
              "method": [
                {"type": "action", "name": "a", "provider": {"type": "process", "path": "nowhere"}},
                {"type": "nope",
                 "provider": {"type": "http"}}
              ],
              "rollbacks": "x"
            }
            """
        let found = await findings(try JSONReader.readDocument(text.utf8))
        XCTAssertEqual(
            found.map { "\($0.place?.line ?? 0) \($0.pointer) \($0.message)" },
            [
                "1  experiment requires a description",
                "4 /method/0/provider/path path 'nowhere' cannot be found, in activity 'a'",
                "5 /method/1/type 'nope' is not a supported activity type",
                "5 /method/1 an activity must have a name",
                "6 /method/1/provider a HTTP activity must have a URL",
                "8 /rollbacks rollbacks are a list, not a string",
            ])
    }

    // What the reference passes over without a word.
    func testWhatHasNoEffectIsWarnedOf() async throws {
        let http: Value = ["type": "http", "url": "http://a", "expected_status": 200]
        let value: Value = [
            "title": "t", "description": "d", "rollback": [],
            "configuration": ["known": 1],
            "steady-state-hypothesis": [
                "title": "h",
                "probes": [["type": "probe", "name": "p", "tolerance": "200", "provider": http]],
            ],
            "method": [
                [
                    "type": "probe", "name": "a", "timeout": 5, "tolerance": 0, "pauzes": ["after": 1],
                    "provider": ["type": "process", "path": "true", "arguments": ["$(cat pid)"], "argument": "x"],
                ]
            ],
            "runtime": ["rollbacks": ["strategy": "sometimes"]],
        ]
        let found = await findings(value, variables: Variables(configuration: ["unknown": 1, "known": 2]))
        XCTAssertEqual(found.filter { $0.severity == .error }, [])
        XCTAssertEqual(
            Set(found.map { "\($0.pointer)" }),
            [
                "/rollback", "/configuration", "/steady-state-hypothesis/probes/0/tolerance",
                "/steady-state-hypothesis/probes/0/provider/expected_status", "/method/0/timeout",
                "/method/0/tolerance",
                "/method/0/pauzes", "/method/0/provider/arguments/0", "/runtime/rollbacks/strategy",
            ])
        XCTAssertEqual(found.first { $0.pointer == Pointer("/rollback") }?.remedy, "did you mean 'rollbacks'?")
        XCTAssertEqual(found.first { $0.pointer == Pointer("/method/0/pauzes") }?.remedy, "did you mean 'pauses'?")
    }

    func testVariablesOfTheCommandLineDoNotMakeAnExperimentValid() async {
        let value: Value = [
            "title": "t", "description": "d", "method": [],
            "configuration": ["x": ["type": "env", "key": "NOPE"]],
        ]
        let refused = await findings(value, variables: Variables(configuration: ["x": "given"]))
        XCTAssertEqual(refused.map(\.severity), [.error])
        let accepted = await findings(value, variables: Variables(environment: ["NOPE": "given"]))
        XCTAssertEqual(accepted, [])
    }
}
