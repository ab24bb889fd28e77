/// What a mock tells of the faults that it was asked for.
public enum MeasurementServerEvent: Sendable {
    /// A schedule begins for a target: `*`, a flat, or a flat and a room as in `SD3:2`.
    case scheduled(target: String, DeviceSchedule)
    /// The schedule of a target is taken back.
    case unscheduled(target: String)
    /// A request was hit by the schedule of a target.
    case hit(target: String)
}
