public import Documents

/// What a mock tells of the faults that it was asked for.
public enum MeasurementServerEvent: Sendable {
    /// Who asked for a schedule.
    public enum Origin: Hashable, Sendable {
        /// A request to the admin API.
        case request
        /// Whoever runs the server, by ``MeasurementServer/setSchedule(_:of:)``.
        case owner
    }

    /// A schedule begins for a target: `*`, a flat, or a flat and a room as in `SD3:2`; with its document.
    case scheduled(target: String, Value, Origin)
    /// The schedule of a target is taken back.
    case unscheduled(target: String, Origin)
    /// A request was hit by the schedule of a target.
    case hit(target: String)
}
