public import Activities
public import Experiments

/// What a run writes besides what it shows.
public struct RunOutputs: Sendable {
    /// The journal, at the end.
    public let journal: OutputFile
    /// Events while the experiment runs, in the forms that were asked for.
    private let events: [EventFile]
    private let recorder: (@Sendable (RunEvent, Duration) -> Void)?

    /// Looks whether all of it can be written.
    ///
    /// - Throws: `FileError` if not.
    public init(_ request: ExperimentSession.Request) throws(FileError) {
        journal = try OutputFile(request.journalPath)
        var events: [EventFile] = []
        if let path = request.referenceEventsPath {
            events.append(try EventFile(path, form: .reference, redacts: request.redacts))
        }
        if let path = request.eventsPath {
            events.append(try EventFile(path, form: .complete, redacts: request.redacts))
        }
        self.events = events
        recorder = request.recorder
    }

    /// Writes an event, with a time since 1970.
    public func record(_ event: RunEvent, at time: Duration) {
        for file in events { file.record(event, at: time) }
        recorder?(event, time)
    }

    /// Ends the files of events.
    public func close() {
        for file in events { file.close() }
    }
}
