import Foundation
import XCTest

/// What `tools/install` puts where, and that it takes it away again.
final class InstallTests: XCTestCase {
    private let files: [String] = [
        "bin/windkanal", "bin/windkanal-report", "bin/windkanal-services",
        "share/bash-completion/completions/windkanal",
        "share/fish/vendor_completions.d/windkanal.fish",
        "share/man/man1/windkanal.1", "share/zsh/site-functions/_windkanal",
    ]

    private func installed(_ line: CommandLine) throws -> [String] {
        let found = try line.shell("cd there 2>/dev/null && find . -type f | sort")
        return found.output.split(separator: "\n").map { String($0.dropFirst(2)) }
    }

    // From a build that there is: the script's own build is the one of `tools/run`.
    func testTheCommandItsPageAndItsCompletionsAreInstalledAndRemoved() throws {
        let line = try CommandLine()
        let tool = CommandLine.root.appending(path: "tools/install").path
        // Paths are the caller's, and not the project's.
        let ended = try line.shell("'\(tool)' --prefix there --from '\(CommandLine.program)'")
        XCTAssertEqual(ended.status, 0, ended.errors)
        XCTAssertTrue(ended.output.contains("is not in PATH; add it, or try:"), ended.output)
        XCTAssertEqual(try installed(line), files)
        let page = try line.shell("there/bin/windkanal manual | cmp - there/share/man/man1/windkanal.1")
        XCTAssertEqual(page.status, 0, page.output)
        for (shell, file) in [("bash", files[3]), ("fish", files[4]), ("zsh", files[6])] {
            let same = try line.shell("windkanal --generate-completion-script \(shell) | cmp - there/\(file)")
            XCTAssertEqual(same.status, 0, same.output)
        }
        if try line.shell("command -v man").status == 0 {
            XCTAssertTrue(try line.shell("MANPATH=$PWD/there/share/man man windkanal").output.contains("EXIT STATUS"))
        }
        XCTAssertEqual(try line.shell("'\(tool)' --remove --prefix there").status, 0)
        XCTAssertEqual(try installed(line), [])
    }

    func testWhatCannotBeUsedIsExplained() throws {
        let line = try CommandLine()
        let tool = CommandLine.root.appending(path: "tools/install").path
        for arguments in ["--prefix", "--nothing"] {
            let ended = try line.shell("'\(tool)' \(arguments)")
            XCTAssertEqual(ended.status, 2)
            XCTAssertTrue(ended.errors.contains("usage: tools/install"), ended.errors)
        }
    }
}
