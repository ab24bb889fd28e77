import Documents
import Measurements

/// What happens to devices, as the landscape's services tell each other.
///
/// The envelope is `{id, type: "event", action, timestamp, data}`; see docs/pipeline.md.
public enum DeviceEvent: Hashable, Sendable {
    /// A flat's devices are to be polled (`CreateDevice`).
    case create(flat: String)
    /// A flat's devices are gone (`DeleteDevice`).
    case delete(flat: String)
    /// A flat's devices are polled, or not for now (`PullStateChangeDevice`).
    case pull(flat: String, Bool)

    /// The flat.
    public var flat: String {
        switch self {
        case .create(let flat), .delete(let flat), .pull(let flat, _): flat
        }
    }

    /// Why a message is not an event of devices.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    /// Reads an event's JSON.
    ///
    /// - Throws: ``Malformed``.
    public init(_ bytes: some Sequence<UInt8>) throws(Malformed) {
        let event: Value
        do {
            event = try JSONReader.read(bytes)
        } catch {
            throw Malformed(description: "the event is not JSON: \(error)")
        }
        guard let flat = event["data"]?["flatId"]?.string, !flat.isEmpty else {
            throw Malformed(description: "the event's /data/flatId is not a string")
        }
        if let problem = FlatName.problem(of: flat) {
            throw Malformed(description: "the event's /data/flatId \(problem)")
        }
        switch event["action"]?.string {
        case "CreateDevice": self = .create(flat: flat)
        case "DeleteDevice": self = .delete(flat: flat)
        case "PullStateChangeDevice":
            guard let isPulled = event["data"]?["pull"]?.bool else {
                throw Malformed(description: "the event's /data/pull is not a boolean")
            }
            self = .pull(flat: flat, isPulled)
        default:
            throw Malformed(
                description: "the event's /action is not CreateDevice, DeleteDevice or PullStateChangeDevice")
        }
    }
}
