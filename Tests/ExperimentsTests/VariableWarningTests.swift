import Documents
import XCTest

@testable import Experiments

/// Warnings of what the reference leaves as it is without a word.
final class VariableWarningTests: XCTestCase {
    private func warnings(_ provider: Value, more: Value.Object = [:], activity: Value.Object = [:]) async -> [String] {
        let method: Value.Object = ["type": "probe", "name": "p", "provider": provider]
        let experiment: Value.Object = [
            "title": "t", "description": "d", "configuration": ["gateway": "http://g", "limit": 5],
            "secrets": ["t": ["token": "x"]], "method": [.object(method.merging(activity))],
        ]
        var validator = Validator(
            Experiment(Document(value: .object(experiment.merging(more))), origin: ""), providers: FakeProviders())
        return await validator.validate().map { "\($0.pointer) \($0.severity): \($0.message); \($0.remedy ?? "")" }
    }

    func testAVariableThatNothingDeclaresIsNamedWithItsPlaceAndTheOneThatIsMeant() async {
        let found = await warnings(["type": "http", "url": "${gatewy}/health"])
        XCTAssertEqual(
            found,
            [
                "/method/0/provider/url warning: neither the configuration nor the secrets declare the variable 'gatewy': '${gatewy}' stays as it is; did you mean 'gateway'?"
            ])
        let fine = await warnings([
            "type": "http", "url": "${gateway}/a", "headers": ["Authorization": "Bearer ${token} $$5 $5"],
            "timeout": "${limit}",
        ])
        XCTAssertEqual(fine, [])
    }

    func testEveryPlaceWhereNamesAreReplacedIsLookedAt() async {
        let places: [(String, Value, Value.Object, Value.Object)] = [
            ("/title", ["type": "http", "url": "a"], ["title": "${nobody}"], [:]),
            ("/method/0/provider/headers/X", ["type": "http", "url": "a", "headers": ["X": "${nobody}"]], [:], [:]),
            (
                "/method/0/provider/arguments/a/0", ["type": "http", "url": "a", "arguments": ["a": ["${nobody}"]]],
                [:],
                [:]
            ),
            (
                "/method/0/provider/arguments/a",
                ["type": "python", "module": "m", "func": "f", "arguments": ["a": "${nobody}"]], [:], [:]
            ),
            ("/method/0/pauses/after", ["type": "http", "url": "a"], [:], ["pauses": ["after": "${nobody}"]]),
            (
                "/steady-state-hypothesis/probes/0/tolerance/pattern", ["type": "http", "url": "a"],
                [
                    "steady-state-hypothesis": [
                        "title": "h",
                        "probes": [
                            [
                                "type": "probe", "name": "p", "provider": ["type": "http", "url": "a"],
                                "tolerance": ["type": "regex", "target": "body", "pattern": "^${nobody}$"],
                            ]
                        ],
                    ]
                ], [:]
            ),
        ]
        for (place, provider, more, activity) in places {
            let found = await warnings(provider, more: more, activity: activity)
            XCTAssertEqual(found.count, 1, "\(place): \(found)")
            XCTAssertTrue(found.first?.hasPrefix(place + " warning:") ?? false, "\(found)")
        }
    }

    func testANameWithADashIsNeverReplaced() async {
        let found = await warnings(
            ["type": "http", "url": "http://${my-host}/"], more: ["configuration": ["my-host": "h"]])
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].contains("'${my-host}' is never replaced"), found[0])
        XCTAssertTrue(found[0].hasSuffix("call the variable 'my_host'"), found[0])
    }

    // What a shell replaces is the shell's.
    func testTheShellsOwnVariablesAreNobodysMistake() async {
        for arguments in ["${HOME}/x $PATH ${x:-1} $(cat y)", "-c 'for i in 1 2; do echo ${i}; done'"] {
            let found = await warnings(["type": "process", "path": "echo", "arguments": .string(arguments)])
            XCTAssertEqual(found, [], arguments)
        }
        let misspelt = await warnings(["type": "process", "path": "echo", "arguments": "${gatewy}"])
        XCTAssertEqual(misspelt.count, 1)
    }

    func testAVariableWhereNoneIsReplacedIsWarnedOf() async {
        let found = await warnings(["type": "process", "path": "echo", "timeout": "${limit}"])
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].contains("'${limit}' stands where no names are replaced"), found[0])
    }

    func testWhatAnExperimentWantsInstalledIsNamed() async {
        let wishes: Value = ["python": ["version": "3.12", "dependencies": ["some-driver"]]]
        let found = await warnings(["type": "http", "url": "a"], more: ["runtime": wishes])
        XCTAssertEqual(
            found,
            [
                "/runtime/python warning: runtime.python asks for some-driver, Python 3.12: nothing is installed; name a Python that has it in WINDKANAL_PYTHON"
            ])
        let wrong = await warnings(
            ["type": "http", "url": "a"],
            more: ["runtime": ["python": ["dependencies": "x"], "hypothesis": ["frequency": 2]]])
        XCTAssertTrue(wrong.contains { $0.contains("error: runtime.python.dependencies must be a list") }, "\(wrong)")
        XCTAssertTrue(wrong.contains { $0.contains("/runtime/hypothesis/frequency warning") }, "\(wrong)")
    }

    func testARegularExpressionOnANumberIsWarnedOf() async {
        func hypothesis(_ tolerance: Value) -> Value.Object {
            [
                "steady-state-hypothesis": [
                    "title": "h",
                    "probes": [
                        [
                            "type": "probe", "name": "p", "provider": ["type": "http", "url": "a"],
                            "tolerance": tolerance,
                        ]
                    ],
                ]
            ]
        }
        let provider: Value = ["type": "http", "url": "a"]
        let number = await warnings(
            provider, more: hypothesis(["type": "regex", "target": "status", "pattern": "2.."]))
        XCTAssertEqual(number.count, 1)
        XCTAssertTrue(number[0].contains("looks at a string, and this is a number"), number[0])
        let text = await warnings(provider, more: hypothesis(["type": "regex", "target": "body", "pattern": "2.."]))
        XCTAssertEqual(text, [])
    }

    func testFilesThatSetNothingAreNamed() throws {
        var variables = Variables()
        XCTAssertEqual(
            try variables.read(file: #"{"gateway": "x"}"#, name: "v.json"),
            [#"'gateway' at the top sets nothing; variables stand in "configuration", secrets in "secrets""#])
        XCTAssertEqual(
            try variables.read(file: "A=1\nnonsense\n# fine\nB=\"x\"\nexport C=2", name: "v.env"),
            [
                "line 2: 'nonsense' sets nothing; a line is NAME=VALUE",
                "line 4: the quotes are a part of the value of 'B'",
                "line 5: 'export C' is not the name of a variable; a line is NAME=VALUE",
            ])
        XCTAssertEqual(try variables.read(file: "configuration: []", name: "v.yaml").count, 1)
        XCTAssertEqual(try variables.read(file: "configuration: {a: 1}", name: "v.yml"), [])
        XCTAssertEqual(variables.configuration["a"], 1)
    }
}
