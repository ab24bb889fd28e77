/// A part of the process that simulations rely on.
package struct PlatformPart: Hashable, Sendable {
    /// The part's name.
    package let name: String
    /// What is wrong with it; nil if it is as it has to be.
    package let problem: String?

    /// Makes a part of a name and what is wrong.
    package init(name: String, problem: String?) {
        self.name = name
        self.problem = problem
    }

    /// All parts, up to the first with a problem: those behind it cannot be looked at.
    package static var all: [PlatformPart] { RuntimeSeam.parts }
}
