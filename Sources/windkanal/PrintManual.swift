import ArgumentParser
import Documents
import Manual
import Sessions

/// Prints the manual page.
struct PrintManual: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "Prints the manual page, as `man` reads it.",
        discussion: """
            The page is made of what the command's parser knows, so it is always the present one. tools/install puts it where \
            `man windkanal` finds it.

            Examples:
              windkanal manual | man -l -
              windkanal manual > windkanal.1
            """)

    func run() throws {
        guard let dump = try? JSONReader.read(Windkanal._dumpHelp().utf8),
            let page = ManualPage(dump: dump, version: Windkanal.version)
        else { throw failure("the parser describes the command in a form that is not known", status: 1) }
        StandardStream.output.write(page.roff)
    }
}
