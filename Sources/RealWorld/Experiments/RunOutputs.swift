/// What a run writes besides what it tells.
public struct RunOutputs: Sendable {
    /// The journal, at the end.
    public let journal: OutputFile
    /// Events while the experiment runs; nil if nobody asked for them.
    public let events: EventFile?

    /// Looks whether all of it can be written.
    ///
    /// - Throws: ``FileError``.
    public init(_ request: ExperimentSession.Request) throws(FileError) {
        journal = try OutputFile(request.journalPath)
        guard let path = request.eventsPath else {
            events = nil
            return
        }
        events = try EventFile(path, redacts: request.redacts)
    }
}
