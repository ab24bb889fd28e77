/// A place in the source of a test.
public struct CodeLocation: Sendable, CustomStringConvertible {
    /// The module and the file's name.
    public let fileID: StaticString
    /// The file's whole path.
    public let filePath: StaticString
    /// The line, counted from 1.
    public let line: Int
    /// The column, counted from 1.
    public let column: Int

    /// Makes a place of its parts, which are those of the caller where nothing else is said.
    public init(
        fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: Int = #line, column: Int = #column
    ) {
        self.fileID = fileID
        self.filePath = filePath
        self.line = line
        self.column = column
    }

    /// The module, the file's name and the line.
    public var description: String { "\(fileID):\(line)" }
}
