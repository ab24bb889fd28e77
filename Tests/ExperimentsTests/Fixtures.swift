import Documents
import Foundation
import XCTest

/// The project's fixtures.
enum Fixtures {
    static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "fixtures")
    }

    /// The cases of a file of recorded results; one without any proves nothing.
    static func vectors(_ path: String) throws -> (file: Value, cases: [Value]) {
        let data = try Data(contentsOf: root.appending(path: "\(path).json"))
        let value = try JSONReader.read(data)
        let cases = try XCTUnwrap(value["vectors"]?.array)
        XCTAssertGreaterThan(cases.count, 10, path)
        return (value, cases)
    }

    /// The names of the experiments of a folder, sorted.
    static func experiments(_ folder: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: root.appending(path: folder), includingPropertiesForKeys: nil
        ).sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
