import Activities
import Documents
import Experiments
import Glibc
import Measurements
import PipelineTestbed
import Reports
import Sessions
import SimulationKernel

/// The files of a run's reports: that they can be written is found out before anything is done.
struct ReportFiles {
    /// Keeps what the reports are made of.
    let recorder: ReportRecorder

    private let page: OutputFile?
    private let series: OutputFile?
    private let junit: OutputFile?
    private let markdown: OutputFile?
    private let console: ConsoleRecorder

    /// The program that makes pages, beside this one; nil where it is not there.
    private static var pageMaker: String? {
        guard let own = unsafe realpath("/proc/self/exe", nil) else { return nil }
        defer { unsafe free(own) }
        let path = unsafe String(cString: own)
        let folder = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        let maker = "\(folder)/windkanal-report"
        return unsafe access(maker, X_OK) == 0 ? maker : nil
    }

    /// How long a page may take.
    private static let pageTimeMax: Duration = .seconds(60)

    /// Looks whether the files can be written.
    ///
    /// - Throws: ``FileError``, also where the program that makes pages is missing.
    init(_ options: ReportOptions, _ console: ConsoleRecorder, redacts: Bool) throws(FileError) {
        func file(_ path: String?) throws(FileError) -> OutputFile? {
            guard let path else { return nil }
            return try OutputFile(path)
        }
        page = try file(options.reportPath)
        series = try file(options.seriesPath)
        junit = try file(options.junitPath)
        markdown = try file(options.markdownPath)
        self.console = console
        recorder = ReportRecorder(redacts: redacts)
        if page != nil, Self.pageMaker == nil {
            throw FileError(
                "pages are made by the program 'windkanal-report', which is not beside this one; build it with `swift build -c release --product windkanal-report`"
            )
        }
    }

    /// Who keeps the events of a simulated run; it is called on the simulation's thread.
    var listener: @Sendable (RunEvent) -> Void {
        let recorder = recorder
        return { recorder.record($0, at: .milliseconds(WallClock.milliseconds)) }
    }

    /// Keeps a row of a comparison, behind its run's events.
    func note(_ row: ProfileComparison.Row) {
        var verdict = row.result.json(strict: false)
        verdict["success"] = .bool(row.result.isSuccess(strict: false))
        recorder.note(verdict, at: Simulation.Options().epoch + row.result.virtualTime)
        recorder.note(["event": "row", "scenario": .string(row.scenario), "profile": .string(row.profile)])
    }

    /// Writes what was asked for, from what the recorder kept.
    ///
    /// - Returns: Whether all of it is written.
    func write() async -> Bool {
        let report: Report
        do {
            report = try recorder.report()
        } catch {
            // Nothing was run: what there is to be said of that has been said.
            return true
        }
        var isWritten = true
        func write(_ file: OutputFile?, _ text: () -> String) {
            guard let file else { return }
            isWritten = self.write(text(), to: file) && isWritten
        }
        write(series) { SeriesTable.text(report) }
        write(junit) { JUnitReport.text(report) }
        write(markdown) { MarkdownReport.text(report) }
        guard let page else { return isWritten }
        guard let text = await makePage() else { return false }
        isWritten = self.write(text, to: page) && isWritten
        if isWritten { console.log(.info, "The report is in \(page.path)") }
        return isWritten
    }

    private func write(_ text: String, to file: OutputFile) -> Bool {
        do {
            try file.write(text)
            return true
        } catch {
            console.log(.critical, "a report cannot be written: \(error)")
            return false
        }
    }

    /// Lets the program beside this one make the page: its templates bring Foundation, which this one does without.
    private func makePage() async -> String? {
        let folder = ProcessEnvironment.current["TMPDIR"] ?? "/tmp"
        var name = Array("\(folder)/windkanal-report-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&name)
        guard descriptor >= 0, let maker = Self.pageMaker else {
            console.log(.critical, "the page cannot be made: \(FileError(folder, errno))")
            return nil
        }
        let path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer {
            close(descriptor)
            unsafe unlink(path)
        }
        do {
            try Files.write(String(decoding: recorder.lines, as: UTF8.self), to: path)
        } catch {
            console.log(.critical, "the page cannot be made: \(error)")
            return nil
        }
        let child = ChildProcess(
            path: maker, arguments: [maker, path], environment: ProcessEnvironment.current, timeout: Self.pageTimeMax)
        let outcome = await child.run()
        if case .ended(0, let output, _) = outcome { return String(decoding: output, as: UTF8.self) }
        var reason = "\(maker) did not end well"
        if case .ended(_, _, let errors) = outcome { reason = String(decoding: errors, as: UTF8.self) }
        if case .notStarted(let why) = outcome { reason = why }
        console.log(.critical, "the page cannot be made: \(reason)")
        return nil
    }
}
