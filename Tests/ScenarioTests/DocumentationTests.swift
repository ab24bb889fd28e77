import Documents
import Faults
import Foundation
import XCTest

@testable import PipelineTestbed

/// What the documentation lists is what there is.
final class DocumentationTests: XCTestCase {
    private func text(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        return try String(contentsOf: folder.appending(path: "../../docs/\(name)").standardized, encoding: .utf8)
    }

    func testTheTableOfActivitiesIsTheirList() throws {
        let rows = PipelineActivities.listing.map { activity in
            let parameters = activity.parameters.map { $0.isOptional ? "[\($0.name)]" : $0.name }
            return "| `\(activity.module).\(activity.function)(\(parameters.joined(separator: ", ")))` | "
                + "\(activity.isProbe ? "probe" : "action") | \(activity.summary) |"
        }
        let table = rows.joined(separator: "\n")
        XCTAssertTrue(try text("scenarios.md").contains(table), "it would be:\n\(table)")
    }

    func testEveryClaimIsDocumentedAndInTheSchema() throws {
        let page = try text("scenarios.md")
        for claim in Scenario.Claim.allCases {
            XCTAssertTrue(page.contains("| `\(claim.rawValue)` |"), "scenarios.md does not say what \(claim) claims")
        }
        let schema = try JSONReader.read(try text("experiment.schema.json").utf8)
        let pointer = try XCTUnwrap(Pointer("/$defs/scenario/properties/invariants/items/enum"))
        let known = (schema[pointer]?.array ?? []).compactMap(\.string)
        XCTAssertEqual(Set(known), Set(Scenario.Claim.allCases.map(\.rawValue)))
    }
}
