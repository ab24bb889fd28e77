import Documents
import Foundation

/// The project's fixtures.
enum Fixtures {
    static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "fixtures")
    }

    /// The cases of a file of recorded results.
    static func vectors(_ name: String) throws -> (file: Value, cases: [Value]) {
        let data = try Data(contentsOf: root.appending(path: "chaostoolkit/vectors/\(name).json"))
        let value = try JSONReader.read(data)
        return (value, value["vectors"]?.array ?? [])
    }

    /// The names of the experiments of a folder, sorted.
    static func experiments(_ folder: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: root.appending(path: folder), includingPropertiesForKeys: nil
        ).sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
