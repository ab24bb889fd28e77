import Activities
public import Documents

/// The user's settings, as the reference keeps them in `~/.chaostoolkit/settings.yaml`.
public struct Settings: Sendable {
    /// What the file holds; nothing if there is none.
    public let value: Value

    /// Whether controls are declared that are called around every experiment.
    public var hasControls: Bool { !(value["controls"]?.object ?? [:]).isEmpty }

    /// Reads a file; one that is not there holds nothing.
    ///
    /// - Throws: ``SourceError`` for one that is not YAML.
    public static func read(_ path: String) throws(SourceError) -> Settings {
        guard Files.exists(path) else { return Settings(value: .object([:])) }
        do {
            let text = String(decoding: try Files.read(path), as: UTF8.self)
            return Settings(value: try YAMLReader.readDocument(text).value)
        } catch {
            throw SourceError("\(path): the settings cannot be read: \(error)")
        }
    }
}
