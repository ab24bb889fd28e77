import MeasurementServer
import Measurements
import Pipeline
import Testbed

/// What the pipeline's services tell of what they do.
enum PipelineObservation: Observation {
    /// The poller tells.
    case poller(PollerEvent)
    /// The poller has read readings, and gives them to what is to keep them.
    case read([Reading])
    /// What keeps readings has taken them: from now on none may be lost.
    case acknowledged([Reading])
    /// How much waits somewhere, or has gone through.
    case gauge(Gauge)
    /// The measurement server tells of the faults that it was asked for.
    case schedule(MeasurementServerEvent)

    var entities: [String] {
        switch self {
        case .poller(let event): event.flat.map { [$0] } ?? []
        case .read(let readings), .acknowledged(let readings): readings.first.map { [$0.id.flat] } ?? []
        case .gauge: []
        case .schedule(.scheduled(let target, _, _)), .schedule(.unscheduled(let target, _)),
            .schedule(.hit(let target)):
            [target]
        }
    }

    /// Polls that succeed and requests that are hit are too many to be told.
    var isNoteworthy: Bool {
        switch self {
        case .poller(.fetched), .poller(.skipped), .poller(.queued), .poller(.retrying), .poller(.requestEnded), .read,
            .acknowledged, .gauge, .schedule(.hit):
            false
        case .poller, .schedule: true
        }
    }

    var description: String {
        switch self {
        case .poller(let event): "\(event)"
        case .read(let readings): "read \(readings.count) readings"
        case .acknowledged(let readings): "\(readings.count) readings were taken"
        case .gauge(let gauge): "\(gauge)"
        case .schedule(.scheduled(let target, _, _)): "a schedule begins for \(target)"
        case .schedule(.unscheduled(let target, _)): "the schedule of \(target) is taken back"
        case .schedule(.hit(let target)): "the schedule of \(target) hits a request"
        }
    }
}

extension PollerEvent {
    /// The flat that it is about; nil if it is about all.
    fileprivate var flat: String? {
        switch self {
        case .fetched(let flat, _, _, _), .failed(let flat, _), .failing(let flat, _), .recovered(let flat, _),
            .skipped(let flat, _), .breakerOpened(let flat), .probing(let flat), .queued(let flat), .retrying(let flat),
            .requestEnded(let flat, _, _), .clockAhead(let flat, _), .unpublished(let flat, _), .partial(let flat, _):
            flat
        case .counterFell(let id, _, _, _): id.flat
        case .sweepCompleted, .sweepSkipped, .serverClockOff: nil
        }
    }
}
