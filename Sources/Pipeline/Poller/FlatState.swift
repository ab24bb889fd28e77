import NIOCore

/// What a poller knows of a flat; touched by its poller only.
///
/// An object, because it is looked up at each step of a poll, and large.
final class FlatState {
    /// Which flat: one that is removed and added again under its name is another.
    struct ID: Hashable, Sendable {
        let name: String
        let number: UInt64
    }

    let id: ID
    /// Where its measurements are.
    let path: String
    /// When it is polled, and how that goes.
    var polling: FlatPolling
    /// What was read of it.
    var readings: FlatReadings
    /// Its last answer that was understood without a problem, and how many readings it had: the same bytes bring nothing new.
    var lastBody: (body: ByteBuffer, readings: Int)?
    /// Whether a device's clock was ahead in the last answer.
    var hasFutureTimestamps: Bool = false

    init(_ id: ID, path: String, profile: PollerProfile, at now: Duration) {
        self.id = id
        self.path = path
        polling = FlatPolling(profile, at: now)
        readings = FlatReadings(flat: id.name)
    }
}
