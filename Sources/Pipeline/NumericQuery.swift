/// The query of a request whose parameters are whole numbers, such as `?offset=5&max=100`.
struct NumericQuery {
    /// Why a query is not understood.
    struct Malformed: Error, Hashable, CustomStringConvertible {
        /// Which part, and what may stand there.
        let description: String
    }

    private var values: [String: Int64] = [:]

    /// Reads the query of a path.
    ///
    /// - Parameters:
    ///   - path: The path, with or without a query.
    ///   - names: The parameters that there are.
    /// - Throws: ``Malformed`` for another parameter, or a value that is not a whole number from 0 on.
    init(of path: String, names: [String]) throws(Malformed) {
        guard let mark = path.firstIndex(of: "?") else { return }
        let known = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
        for part in path[path.index(after: mark)...].split(separator: "&") {
            let words = part.split(separator: "=", maxSplits: 1)
            guard words.count == 2, let number = Int64(words[1]), number >= 0 else {
                throw Malformed(description: "'\(part)' is not \(known) with a whole number")
            }
            guard names.contains(String(words[0])) else {
                throw Malformed(description: "'\(words[0])' is not \(known)")
            }
            values[String(words[0])] = number
        }
    }

    /// The value of a parameter; nil where the query does not say it.
    subscript(name: String) -> Int64? { values[name] }
}
