import Foundation
import XCTest

/// What the tutorial shows is what its commands print.
final class TutorialTests: XCTestCase {
    /// A command of the tutorial, and what the tutorial shows of its output.
    struct Step: Equatable {
        let command: String
        let shown: [String]
    }

    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized

    /// The commands of a page, each with the block that follows it, where that is no command of its own.
    static func steps(_ page: String) -> [Step] {
        var steps: [Step] = []
        var (language, lines): (String?, [String]) = (nil, [])
        for line in page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            guard line.hasPrefix("```") else {
                if language != nil { lines.append(line) }
                continue
            }
            guard let open = language else {
                (language, lines) = (String(line.dropFirst(3)), [])
                continue
            }
            if open == "sh" {
                steps += lines.filter { $0.hasPrefix("windkanal ") }.map { Step(command: $0, shown: []) }
            } else if open == "text", let last = steps.popLast() {
                steps.append(Step(command: last.command, shown: lines))
            }
            language = nil
        }
        return steps
    }

    /// Whether the output has the lines in their order, one after the other; `...` stands for any lines, and `*` in a line for anything.
    static func shows(_ output: [String], _ shown: [String]) -> String? {
        var (rest, skips) = (output[...], true)
        for line in shown {
            if line.trimmingCharacters(in: .whitespaces) == "..." {
                skips = true
                continue
            }
            let parts = masked(line).components(separatedBy: "*").map(NSRegularExpression.escapedPattern(for:))
            let pattern = "^" + parts.joined(separator: ".*") + "$"
            let isShown = { (line: String) in masked(line).range(of: pattern, options: .regularExpression) != nil }
            guard
                let index = skips
                    ? rest.firstIndex(where: isShown) : rest.first.map(isShown) == true ? rest.startIndex : nil
            else { return line }
            (rest, skips) = (rest[(index + 1)...], false)
        }
        return nil
    }

    /// A line without what differs from run to run: CPU time, and spaces at its end.
    private static func masked(_ line: String) -> String {
        line.replacing(/cpu [0-9.]+/, with: "cpu 0").replacing(/\s+$/, with: "")
    }

    func testTheTutorialShowsWhatItsCommandsPrint() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/tutorial.md"), encoding: .utf8)
        let steps = Self.steps(page)
        XCTAssertGreaterThan(steps.count, 8, "the tutorial has no commands")
        let folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-tutorial-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["scenarios", "hypotheses", "fixtures"] {
            try FileManager.default.copyItem(at: Self.root.appending(path: name), to: folder.appending(path: name))
        }
        for step in steps {
            let output = try Self.run(step.command, in: folder)
            if let missing = Self.shows(
                output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init), step.shown)
            {
                XCTFail("\(step.command)\nshows no line\n  \(missing)\nbut\n\(output)")
            }
        }
    }

    func testALineThatIsNotPrintedIsMissed() {
        XCTAssertNil(Self.shows(["a", "verdict held cpu 0.1", "c"], ["verdict held cpu 0.7", "c"]))
        XCTAssertNil(Self.shows(["a", "b", "c", "d"], ["a", "...", "d"]))
        XCTAssertNil(Self.shows(["at 17.25 s"], ["at * s"]))
        XCTAssertEqual(Self.shows(["a", "b", "c"], ["a", "c"]), "c")
        XCTAssertEqual(Self.shows(["verdict refuted"], ["verdict held"]), "verdict held")
        let page = "```sh\nwindkanal run x\n```\n\ntext\n\n```text\nheld\n```\n```json\n{}\n```"
        XCTAssertEqual(Self.steps(page), [Step(command: "windkanal run x", shown: ["held"])])
    }

    /// What a command line prints, on both channels.
    private static func run(_ command: String, in folder: URL) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let binary = Bundle.main.bundleURL.path
        process.arguments = ["-c", command + " 2>&1"]
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "\(binary):/usr/bin:/bin", "HOME": folder.path, "COLUMNS": "100"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
