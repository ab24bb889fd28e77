/// Which test sweeps: the name that its failures are kept under and its replay line calls.
public struct TestIdentity: Hashable, Sendable {
    /// The test's name, as in `polls()`.
    public let name: String
    /// The file that it stands in.
    public let filePath: String

    /// Makes an identity of the function's name and its file.
    public init(name: String, filePath: String) {
        self.name = name
        self.filePath = filePath
    }

    /// The shell's line that runs one seed of the test.
    public func replay(of seed: String) -> String {
        let filter = name.prefix { $0 != "(" }
        return "WINDKANAL_SEED=\(seed) swift test --filter '\(filter)'"
    }

    /// The folder of the package that the file belongs to; the working folder if it belongs to none.
    var packageFolder: String {
        var folder = Substring(filePath)
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            if KeptFiles.exists("\(folder)/Package.swift") { return String(folder) }
        }
        return "."
    }
}
