import Mustache
public import Reports

/// A report as one page of HTML: no script, nothing from elsewhere, for light and dark surroundings, for phones and for paper.
public enum ReportPage {
    /// The page.
    ///
    /// - Throws: What the templates' parser throws, which is a mistake of theirs.
    public static func text(_ report: Report) throws -> String {
        var page: [String: Any] = ["title": report.title, "style": StyleSheet.text]
        switch report {
        case .run(let run):
            page["verdict"] = run.verdict
            page["run"] = PageContext.run(run)
        case .sweep(let sweep):
            page["verdict"] = sweep.verdict
            page["sweep"] = PageContext.sweep(sweep)
        case .comparison(let comparison):
            page["verdict"] = "\(comparison.rows.count) runs"
            page["comparison"] = PageContext.comparison(comparison)
        }
        return try Templates.library().render(page, withTemplate: "page") ?? ""
    }
}
