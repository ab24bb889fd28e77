import Documents
public import Measurements

/// What became of all readings, in Jepsen's terms.
public struct LedgerAudit: Hashable, Sendable {
    /// Readings that the poller read; each is in one class of those that follow.
    public internal(set) var read: Int = 0
    /// Readings that the poller gave away and that were taken.
    public internal(set) var acknowledged: Int = 0
    /// Acknowledged, and in the storage: ok.
    public internal(set) var stored: Int = 0
    /// Acknowledged, and on the poller's disk.
    public internal(set) var inOutbox: Int = 0
    /// Acknowledged, and in the broker behind what the storage's group has committed.
    public internal(set) var inBroker: Int = 0
    /// Readings in the broker behind what a group has committed, by group.
    public internal(set) var waitingByGroup: [String: Int] = [:]
    /// Which are on their way.
    var waiting: Set<Reading.Identity> = []
    /// Acknowledged, and on their way on some disk.
    public var pending: Int { inOutbox + inBroker }
    /// Acknowledged, and nowhere.
    public internal(set) var lost: [Reading.Identity] = []
    /// Not acknowledged, and in the storage nevertheless.
    public internal(set) var recovered: Int = 0
    /// Not acknowledged, not in the storage, and replaced at the server: the poller had them, and nothing had room for them in time.
    public internal(set) var notKept: Int = 0
    /// Not acknowledged, not in the storage, and the latest of their series that were read: the poller reads them again.
    public internal(set) var readable: Int = 0
    /// Messages that are in the broker although the reading was there already; the storage keeps each once.
    public internal(set) var duplicated: Int = 0
    /// Measured, and replaced at the server before the poller asked: never exposed to us, and so nobody's loss.
    public internal(set) var unseen: Int = 0
    /// In the storage with another value than was sent, or never sent.
    public internal(set) var unexpected: [Reading.Identity] = []
    /// The first violations, each with its history.
    public internal(set) var told: [String] = []
    /// Disks that could not be read.
    public internal(set) var unreadable: [String] = []

    /// Whether nothing is lost or invented.
    public var holds: Bool { lost.isEmpty && unexpected.isEmpty && unreadable.isEmpty }

    /// As an event for records.
    var event: Value.Object {
        (["event": "ledger", "in_outbox": .integer(inOutbox), "in_broker": .integer(inBroker)] as Value.Object)
            .merging(document.object ?? [:])
    }

    /// How many readings there are of each class, in a line for people.
    public var summary: String {
        "ledger: \(read) read, \(acknowledged) acknowledged, \(stored) stored, "
            + "\(pending) pending (outbox \(inOutbox), broker \(inBroker)), \(lost.count) lost, \(recovered) recovered, "
            + "\(notKept) not kept, \(readable) to be read again, \(duplicated) duplicated, "
            + "\(unexpected.count) unexpected, \(unseen) never seen"
    }

    /// The summary, and a line for each violation that is told.
    public var text: String { ([summary] + unreadable + told).joined(separator: "\n") }

    /// The histories of the first eight violations, a line each, and how many there are besides.
    var history: [String] {
        let (first, count) = (Array(told.prefix(8)), lost.count + unexpected.count)
        return count > first.count ? first + ["... and \(count - first.count) more"] : first
    }
}
