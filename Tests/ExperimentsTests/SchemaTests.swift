import Documents
import Foundation
import XCTest

@testable import Experiments

/// docs/experiment.schema.json, which editors use, against the validator.
final class SchemaTests: XCTestCase {
    private func schema() throws -> Schema {
        let file = Fixtures.root.deletingLastPathComponent().appending(path: "docs/experiment.schema.json")
        return Schema(root: try JSONReader.read(Data(contentsOf: file)))
    }

    private func value(_ file: URL) throws -> Value {
        let text = try String(contentsOf: file, encoding: .utf8)
        return file.pathExtension == "json"
            ? try JSONReader.read(text.utf8) : try YAMLReader.readDocument(text).value
    }

    func testValidExperimentsAreAccepted() throws {
        let schema = try schema()
        for file in try Fixtures.experiments("experiments/valid") {
            XCTAssertEqual(try schema.problems(of: value(file)), [], file.lastPathComponent)
        }
    }

    func testScenariosAreAcceptedAndMistakesInThemAreNot() throws {
        let schema = try schema()
        let scenarios = try ["smoke", "learnings"].flatMap { try Fixtures.experiments("../scenarios/\($0)") }
        XCTAssertGreaterThan(scenarios.count, 7)
        for file in scenarios {
            let scenario = try value(file)
            XCTAssertEqual(schema.problems(of: scenario), [], file.lastPathComponent)
            for (place, mistake) in [("/landscape/poller/profile", "hasty"), ("/sead", 1), ("/duration", -1)]
                as [(String, Value)]
            {
                var wrong = scenario
                wrong.set(try XCTUnwrap(Pointer("/extensions/0\(place)")), to: mistake)
                XCTAssertNotEqual(schema.problems(of: wrong), [], "\(file.lastPathComponent) \(place)")
            }
        }
    }

    // What only a run's surroundings, or a pattern's own grammar, can tell is not the schema's matter.
    func testInvalidExperimentsAreRefused() throws {
        let schema = try schema()
        let beyond: Set<String> = [
            "missing-variable.json", "missing-secret.json", "process-not-found.json", "reference-to-nothing.json",
            "regex-broken.json", "jsonpath-of-another-dialect.json",
        ]
        for file in try Fixtures.experiments("experiments/invalid") where !beyond.contains(file.lastPathComponent) {
            XCTAssertNotEqual(try schema.problems(of: value(file)), [], file.lastPathComponent)
        }
    }

    // The schema never marks as wrong what the validator finds nothing wrong with.
    func testWhatTheValidatorAcceptsTheSchemaAccepts() async throws {
        let schema = try schema()
        var accepted = 0
        for file in try Fixtures.experiments("chaostoolkit/edge") {
            guard let value = try? value(file), value.object != nil else { continue }
            var validator = Validator(
                Experiment(Document(value: value), origin: ""),
                providers: FakeProviders(programs: [
                    "true", "false", "echo", "sleep", "sh", "printf", "touch", "cat", "test",
                ]))
            guard await validator.validate().isEmpty else { continue }
            accepted += 1
            XCTAssertEqual(schema.problems(of: value), [], file.lastPathComponent)
        }
        XCTAssertGreaterThan(accepted, 100)
    }
}

/// As much of JSON Schema 2020-12 as the file uses; an unknown keyword is an error.
private struct Schema {
    let root: Value
    private static let silent: Set<String> = ["$schema", "$id", "$defs", "title", "description", "if", "then", "else"]

    func problems(of value: Value) -> [String] { check(value, root, at: "") }

    private func check(_ value: Value, _ schema: Value, at place: String) -> [String] {
        guard let keywords = schema.object else { return ["\(place): the schema is not an object"] }
        var problems: [String] = []
        for (keyword, rule) in keywords where !Self.silent.contains(keyword) {
            problems += check(value, keyword, rule, keywords, at: place)
        }
        if let condition = keywords["if"] {
            let branch = check(value, condition, at: place).isEmpty ? "then" : "else"
            if let rule = keywords[branch] { problems += check(value, rule, at: place) }
        }
        return problems
    }

    private func check(
        _ value: Value, _ keyword: String, _ rule: Value, _ keywords: Value.Object, at place: String
    ) -> [String] {
        func fail(_ holds: Bool) -> [String] { holds ? [] : ["\(place): \(keyword)"] }
        switch keyword {
        case "$ref":
            guard let target = Pointer(String((rule.string ?? "").dropFirst())).flatMap({ root[$0] }) else {
                return ["\(place): \(rule) leads nowhere"]
            }
            return check(value, target, at: place)
        case "type":
            let types = (rule.array ?? [rule]).compactMap(\.string)
            return fail(types.contains { Self.isType($0, value) })
        case "required":
            guard let object = value.object else { return [] }
            return (rule.array ?? []).compactMap(\.string).filter { object[$0] == nil }.map {
                "\(place): \($0) is missing"
            }
        case "properties":
            return (value.object ?? [:]).flatMap { name, member in
                rule[name].map { check(member, $0, at: "\(place)/\(name)") } ?? []
            }
        case "additionalProperties":
            return (value.object ?? [:]).flatMap { name, member -> [String] in
                guard keywords["properties"]?[name] == nil else { return [] }
                return rule == false
                    ? ["\(place): \(name) is not allowed"] : check(member, rule, at: "\(place)/\(name)")
            }
        case "items":
            return (value.array ?? []).enumerated().flatMap { check($0.element, rule, at: "\(place)/\($0.offset)") }
        case "enum": return fail((rule.array ?? []).contains(value))
        case "const": return fail(rule == value)
        case "pattern":
            guard let text = value.string else { return [] }
            return fail((try? PythonRegex(rule.string ?? "").matches(in: text)) ?? false)
        case "minimum": return fail(value.number.map { $0 >= rule.number ?? 0 } ?? true)
        case "exclusiveMinimum": return fail(value.number.map { $0 > rule.number ?? 0 } ?? true)
        case "minProperties": return fail(value.object.map { $0.count >= rule.integer ?? 0 } ?? true)
        case "maximum": return fail(value.number.map { $0 <= rule.number ?? 0 } ?? true)
        case "minLength": return fail(value.string.map { $0.count >= rule.integer ?? 0 } ?? true)
        case "minItems": return fail(value.array.map { $0.count >= rule.integer ?? 0 } ?? true)
        case "maxItems": return fail(value.array.map { $0.count <= rule.integer ?? 0 } ?? true)
        case "allOf": return (rule.array ?? []).flatMap { check(value, $0, at: place) }
        case "oneOf":
            let matching = (rule.array ?? []).filter { check(value, $0, at: place).isEmpty }
            return matching.count == 1 ? [] : ["\(place): \(matching.count) of oneOf"]
        default: return ["\(place): the schema uses \(keyword), which this test does not know"]
        }
    }

    private static func isType(_ type: String, _ value: Value) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("string", .date), ("array", .array),
            ("object", .object), ("integer", .integer), ("integer", .largeInteger), ("number", .integer),
            ("number", .largeInteger), ("number", .real):
            true
        default: false
        }
    }
}
