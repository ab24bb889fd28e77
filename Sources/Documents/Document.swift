/// A value that was read from a text, and where its parts stand in it.
public struct Document: Hashable, Sendable {
    /// What was read.
    public var value: Value
    /// How deep parts may lie whose places are noted, and how many are: texts from anywhere must not fill the memory.
    static let placeDepthMax: Int = 24
    static let placesMax: Int = 200_000

    /// Where the parts begin; a part that a merge or an alias brought in stands where it was written.
    public var places: [Pointer: Place]

    /// Makes a document of its parts.
    public init(value: Value, places: [Pointer: Place] = [:]) {
        self.value = value
        self.places = places
    }

    /// Where a part begins, or, when it is missing, the nearest part around it.
    public func place(of pointer: Pointer) -> Place? {
        var pointer = pointer
        while true {
            if let place = places[pointer] { return place }
            guard !pointer.tokens.isEmpty else { return nil }
            pointer.tokens.removeLast()
        }
    }
}

/// A place in a text; both numbers begin with 1.
public struct Place: Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let line: Int
    /// The column, in bytes of UTF-8 for JSON and in characters for YAML.
    public let column: Int

    /// Makes a place of its parts.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The place as in `line 3, column 14`.
    public var description: String { "line \(line), column \(column)" }
}

/// Why a text is not a document.
public struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let problem: String
    /// Where the problem is; nil when it is the text as a whole.
    public let place: Place?

    /// Makes an error of its parts.
    public init(_ problem: String, at place: Place?) {
        self.problem = problem
        self.place = place
    }

    /// What is wrong and where.
    public var description: String { place.map { "\(problem) (\($0))" } ?? problem }
}
