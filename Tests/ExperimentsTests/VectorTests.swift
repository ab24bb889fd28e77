import Documents
import XCTest

@testable import Experiments

/// Results of the reference, recorded in fixtures/chaostoolkit/vectors: ours are the same.
final class VectorTests: XCTestCase {
    func testEveryToleranceDecidesAsTheReference() throws {
        for vector in try Fixtures.vectors("chaostoolkit/vectors/tolerance").cases {
            let text = JSONWriter.write(vector)
            do {
                let isMet = try Tolerance(vector["tolerance"]).isMet(by: vector["value"] ?? .null)
                XCTAssertEqual(vector["met"]?.bool, isMet, text)
            } catch {
                XCTAssertNotNil(vector["raises"], "\(text): \(error)")
            }
        }
    }

    func testEveryPathLeadsWhereTheReferenceGoes() throws {
        let (file, cases) = try Fixtures.vectors("chaostoolkit/vectors/jsonpath")
        let document = try XCTUnwrap(file["document"])
        for vector in cases {
            let text = JSONWriter.write(vector)
            guard let path = vector["path"]?.string else { return XCTFail(text) }
            guard vector["valid"]?.bool == true else {
                XCTAssertThrowsError(try JSONPath(path), text)
                continue
            }
            let found = try XCTUnwrap(try? JSONPath(path).values(in: document), text)
            XCTAssertEqual(JSONWriter.write(.array(found)), JSONWriter.write(vector["values"] ?? .null), text)
        }
    }

    func testPathsBeyondAllSizesLeadSomewhere() throws {
        let document: Value = ["a": [7]]
        for (path, values) in [
            ("$.a[9223372036854775807::-2]", 0), ("$.a[9223372036854775807:-9:-1]", 2),
            ("$.a[5::-9223372036854775808]", 0),
            ("$.a[-9223372036854775808:9223372036854775807:9223372036854775807]", 1),
        ] {
            XCTAssertEqual(try JSONPath(path).values(in: document).count, values, path)
        }
        let many = Array(repeating: "@.a", count: 200_000)
        for word in [" and ", " or "] {
            XCTAssertEqual(try JSONPath("$[?(\(many.joined(separator: word)))]").values(in: document).count, 1)
        }
        XCTAssertNil(ExactDecimal("1e-9223372036854775808"))
    }

    func testEverySubstitutionGivesTheReferencesValue() throws {
        let (file, cases) = try Fixtures.vectors("chaostoolkit/vectors/substitute")
        for vector in cases {
            var scope = Scope()
            switch vector["with"]?.string {
            case "none": break
            case "sec": scope.secrets = file["secrets"]?.object ?? [:]
            case "cfg": scope.configuration = file["configuration"]?.object ?? [:]
            default:
                scope.secrets = file["secrets"]?.object ?? [:]
                scope.configuration = file["configuration"]?.object ?? [:]
            }
            let result = try scope.substitute(vector["data"] ?? .null)
            XCTAssertEqual(
                JSONWriter.write(result), JSONWriter.write(vector["result"] ?? .null), JSONWriter.write(vector))
        }
    }

    func testEveryScalarOfYAMLMeansWhatTheReferenceReads() throws {
        for vector in try Fixtures.vectors("chaostoolkit/vectors/yaml_scalars").cases {
            let text = try XCTUnwrap(vector["yaml"]?.string)
            guard vector["error"] == nil else {
                XCTAssertThrowsError(try YAMLReader.readDocument(text), text)
                continue
            }
            let value = try XCTUnwrap(try YAMLReader.readDocument(text).value["v"], text)
            switch vector["json"] {
            case .string("inf")?: XCTAssertEqual(value, .real(.infinity), text)
            case .string("nan")?: XCTAssertTrue(value.number?.isNaN ?? false, text)
            default:
                XCTAssertEqual(JSONWriter.write(value), JSONWriter.write(vector["json"] ?? .null), text)
                let types: [String: Bool] = [
                    "bool": value.bool != nil, "str": value.string != nil, "int": value.integer != nil,
                    "float": value.integer == nil && value.number != nil, "NoneType": value.isNull,
                    "date": value.kind == "a date", "datetime": value.kind == "a date",
                ]
                XCTAssertEqual(types[vector["python_type"]?.string ?? ""], true, text)
            }
        }
    }
}
