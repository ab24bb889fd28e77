import Activities
public import Documents
public import Experiments

/// The controls that are called around every experiment: those of the settings, then those of files.
public struct GlobalControls: Sendable {
    /// The controls, in their order.
    public private(set) var controls: [Control]
    /// Why a file gives none, a sentence for each.
    public private(set) var problems: [String] = []

    /// Reads controls.
    ///
    /// - Parameters:
    ///   - settings: The user's settings.
    ///   - files: Files of controls, in JSON or YAML.
    public init(settings: Value, files: [String]) {
        controls = Control.global(settings["controls"])
        for file in files {
            do {
                let value = try Self.read(file)
                guard value.isNull || value.object != nil else {
                    problems.append("\(file) is \(value.kind), not an object of controls by their names")
                    continue
                }
                controls += Control.global(value)
            } catch {
                problems.append("\(file) cannot be read and gives no controls: \(error)")
            }
        }
    }

    private static func read(_ file: String) throws -> Value {
        let bytes = try Files.read(file)
        if bytes.isEmpty { return .null }
        if file.hasSuffix(".json") { return try JSONReader.read(bytes) }
        return try YAMLReader.readDocument(String(decoding: bytes, as: UTF8.self)).value
    }
}
