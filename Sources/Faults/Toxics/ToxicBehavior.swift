import Documents
import NIOCore

/// What a kind of toxic does to one direction of a connection, and how documents have it: a type in a file of its own.
///
/// One that only delays conforms to ``DelayingToxic``, one that lets some things through and others not to ``FilteringToxic``.
protocol ToxicBehavior: Hashable, Sendable, CustomStringConvertible {
    /// What Toxiproxy calls it.
    static var type: String { get }
    /// What Toxiproxy calls what it is given.
    static var attributeNames: [String] { get }

    /// Reads it from what Toxiproxy's API has; what is not given is 0.
    ///
    /// - Throws: ``FaultError`` with the first attribute that is wrong.
    init(_ attributes: ToxicAttributes) throws(FaultError)
    /// The attributes in Toxiproxy's units.
    var attributes: Value.Object { get }
    /// What is wrong with a toxic of this name, or nil.
    func validationError(of name: String) -> String?

    /// Decides about what has come.
    func receive(_ arrival: ToxicArrival, at now: UInt64, in stage: inout ToxicStage)
    /// Plans when something that is let through leaves; also after a change, for what is held.
    func plan(_ arrival: ToxicArrival, received: UInt64, in stage: inout ToxicStage)
    /// Starts timers, when the toxic begins or has changed.
    func begin(at now: UInt64, in stage: inout ToxicStage)
    /// Whether a connection on which it acted closes when it is removed.
    var closesWhenRemoved: Bool { get }
    /// Bytes that a proxy lets it hold before it reads no more.
    var heldBytesMax: Int { get }
}

extension ToxicBehavior {
    /// Starts nothing: most toxics wait for what comes.
    func begin(at now: UInt64, in stage: inout ToxicStage) {}
    /// A connection goes on where nothing else is said.
    var closesWhenRemoved: Bool { false }
    /// Two of a proxy's pieces: one that leaves, and the next.
    var heldBytesMax: Int { 64 * 1024 }

    func isEqual(to other: any ToxicBehavior) -> Bool { (other as? Self) == self }
}

/// A toxic that lets everything through, in time.
protocol DelayingToxic: ToxicBehavior {}

extension DelayingToxic {
    func receive(_ arrival: ToxicArrival, at now: UInt64, in stage: inout ToxicStage) {
        plan(arrival, received: now, in: &stage)
    }
}

/// A toxic that decides what gets through; what does, does at once.
protocol FilteringToxic: ToxicBehavior {}

extension FilteringToxic {
    func plan(_ arrival: ToxicArrival, received: UInt64, in stage: inout ToxicStage) {
        stage.hold(arrival, received: received, until: received)
    }
}

/// What a toxic decides about.
enum ToxicArrival: Hashable, Sendable {
    /// Bytes that were sent together.
    case data(ByteBuffer)
    /// The sender will send no more.
    case end

    /// What comes of an item; nil for one that no toxic stops.
    init?(_ item: ToxicItem) {
        switch item {
        case .data(let buffer): self = .data(buffer)
        case .end: self = .end
        case .close, .reset: return nil
        }
    }

    /// The same as an item.
    var item: ToxicItem {
        switch self {
        case .data(let buffer): .data(buffer)
        case .end: .end
        }
    }
}
