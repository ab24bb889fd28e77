import Foundation
import ReportPages
import Reports

/// Writes the page of a report to the output, from the events file that is named.
func main() -> Int32 {
    guard CommandLine.arguments.count == 2, let path = CommandLine.arguments.last else {
        FileHandle.standardError.write(Data("usage: windkanal-report EVENTS > FILE.html\n".utf8))
        return 2
    }
    do {
        let data = try Data(contentsOf: URL(filePath: path))
        let page = try ReportPage.text(try Report(lines: Array(data)))
        FileHandle.standardOutput.write(Data(page.utf8))
        return 0
    } catch let error as ReportError {
        FileHandle.standardError.write(Data("\(path): \(error)\n".utf8))
    } catch {
        FileHandle.standardError.write(Data("\(path): \(error.localizedDescription)\n".utf8))
    }
    return 1
}

exit(main())
