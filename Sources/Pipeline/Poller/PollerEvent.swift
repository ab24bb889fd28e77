public import HTTP
public import Measurements

/// Why a poll brought nothing.
public enum PollFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// No answer.
    case http(HTTPFailure)
    /// An answer that is not a success; the server may say how many seconds to stay away.
    case status(Int, retryAfter: Int64?)
    /// An answer that is not understood.
    case payload(PayloadProblem)

    /// What happened.
    public var description: String {
        switch self {
        case .http(let failure): "\(failure)"
        case .status(let status, nil): "the server answered \(status)"
        case .status(let status, let seconds?): "the server answered \(status) and asks to wait for \(seconds) s"
        case .payload(let problem): "\(problem)"
        }
    }
}

/// What a poller tells while it works.
public enum PollerEvent: Hashable, Sendable {
    /// A flat was fetched: how many readings were new, how many known, and the newest measurement's time in ms since 1970.
    case fetched(flat: String, new: Int, known: Int, newest: Int64?)
    /// A request came to its end so long after it was sent, with an answer or without.
    case requestEnded(flat: String, after: Duration, isSuccess: Bool)
    /// A poll brought nothing.
    case failed(flat: String, PollFailure)
    /// A flat began to fail; told once, until it recovers.
    case failing(flat: String, PollFailure)
    /// A flat that failed is back; told once.
    case recovered(flat: String, after: Duration)
    /// A sweep over all flats has succeeded.
    case sweepCompleted
    /// A poll was left out: too many are in flight, the breaker is open, or the server asked to wait.
    case skipped(flat: String, Skip)
    /// A breaker opened: the flat is left alone for a while.
    case breakerOpened(flat: String)
    /// A poll looks whether a flat is back whose breaker was open.
    case probing(flat: String)
    /// A poll waits for a permit of the bulkhead.
    case queued(flat: String)
    /// A request is tried again.
    case retrying(flat: String)
    /// A sweep was left out: as many are in flight as may be.
    case sweepSkipped
    /// A device's clock is ahead of ours by so many milliseconds; told once, until it is right again.
    case clockAhead(flat: String, milliseconds: Int64)
    /// The server's clock is so many milliseconds ahead of ours, or behind; told once, until it is right again.
    case serverClockOff(milliseconds: Int64)
    /// The sink did not take so many readings of a flat; they are new again when they come again.
    case unpublished(flat: String, readings: Int)
    /// A register shows less than before.
    case counterFell(Reading.Identity, from: Double, to: Double, CounterFall)
    /// A part of an answer was not understood; the rest was taken.
    case partial(flat: String, PayloadProblem)

    /// Why a poll was left out.
    public enum Skip: String, Hashable, Sendable {
        /// The flat has as many requests in flight as may be.
        case overlap
        /// The breaker is open.
        case breaker
        /// The server asked to wait.
        case retryAfter
    }
}

extension PollerEvent: CustomStringConvertible {
    /// What happened, for people.
    public var description: String {
        switch self {
        case .fetched(let flat, let new, let known, _): "has fetched \(flat): \(new) new readings, \(known) known"
        case .requestEnded(let flat, let time, let isSuccess):
            "has \(isSuccess ? "an answer" : "no answer") of \(flat) after \(time)"
        case .failed(let flat, let failure): "cannot fetch \(flat): \(failure)"
        case .failing(let flat, let failure): "begins to fail for \(flat): \(failure)"
        case .recovered(let flat, let time): "has \(flat) back after \(time)"
        case .sweepCompleted: "has fetched every flat"
        case .skipped(let flat, .overlap): "leaves \(flat) out: enough requests are in flight"
        case .skipped(let flat, .breaker): "leaves \(flat) out: its breaker is open"
        case .skipped(let flat, .retryAfter): "leaves \(flat) out: the server asked to wait"
        case .breakerOpened(let flat): "opens the breaker of \(flat)"
        case .probing(let flat): "looks whether \(flat) is back"
        case .queued(let flat): "waits for a permit to fetch \(flat)"
        case .retrying(let flat): "tries \(flat) again"
        case .sweepSkipped: "leaves a sweep out: enough are in flight"
        case .clockAhead(let flat, let milliseconds): "sees the clock of \(flat) \(milliseconds) ms ahead"
        case .serverClockOff(let milliseconds): "sees the server's clock off by \(milliseconds) ms"
        case .unpublished(let flat, let readings): "could not give \(readings) readings of \(flat) away"
        case .counterFell(let id, let from, let to, let fall): "sees \(id) fall from \(from) to \(to): \(fall.rawValue)"
        case .partial(let flat, let problem): "does not understand a part of the answer for \(flat): \(problem)"
        }
    }
}

/// A taker of what was measured.
///
/// It must heed cancellation: a poller does not wait longer than ``Poller/Options/publishMax``.
public protocol MeasurementSink: Sendable {
    /// Takes new readings, all or, by throwing, none.
    func publish(_ readings: [Reading]) async throws
}
