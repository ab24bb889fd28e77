/// Whether the terminal gets colours, and why.
public struct ColorChoice: Hashable, Sendable {
    /// Whether colours are written.
    public let isColored: Bool
    /// What decided, for people.
    public let reason: String

    /// Decides by the conventions of terminals: `NO_COLOR`, then `CLICOLOR_FORCE`, then `CLICOLOR` and `TERM`, then whether there is one.
    ///
    /// - Parameters:
    ///   - environment: The process' environment.
    ///   - isTerminal: Whether the channel is a terminal.
    public init(environment: [String: String], isTerminal: Bool) {
        if !(environment["NO_COLOR"] ?? "").isEmpty {
            (isColored, reason) = (false, "NO_COLOR is set")
        } else if !["", "0"].contains(environment["CLICOLOR_FORCE"] ?? "") {
            (isColored, reason) = (true, "CLICOLOR_FORCE is set")
        } else if environment["CLICOLOR"] == "0" {
            (isColored, reason) = (false, "CLICOLOR is 0")
        } else if !isTerminal {
            (isColored, reason) = (false, "it is not a terminal")
        } else if environment["TERM"] == "dumb" {
            (isColored, reason) = (false, "TERM is dumb")
        } else {
            (isColored, reason) = (true, "it is a terminal")
        }
    }
}
