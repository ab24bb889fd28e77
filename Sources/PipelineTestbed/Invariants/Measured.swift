import Documents
import Durations
import Faults
import MeasurementServer
import Measurements
import Randomness
import Testbed

/// What the poller gives away is what devices have measured: those of the model, whose every value is known.
final class Measured: Invariant {
    let name: String = "what the poller gives away was measured"
    private let model: DeviceModel
    /// By how much devices may be ahead of their clocks, in ms.
    private let offsets: [Int64]
    private var findings: [InvariantFinding] = []

    /// What numbers lose on their way through a contract's units and texts.
    private static let tolerance: Double = 1e-6

    init(_ scenario: Scenario) {
        model = DeviceModel(seed: scenario.seed)
        var offsets: Set<Int64> = [0]
        for entry in scenario.faults.faults {
            guard case .custom(let fault) = entry.fault, let schedule = try? DeviceSchedule(.object(fault.parameters))
            else { continue }
            for window in schedule.windows {
                if case .skew(let ahead)? = window.fault { offsets.insert(ahead.milliseconds) }
            }
        }
        self.offsets = offsets.sorted()
    }

    func observe(_ event: TestbedEvent) {
        guard case .observed(let observation as PipelineObservation, _) = event.kind,
            case .read(let readings) = observation
        else { return }
        for reading in readings where !isMeasured(reading) {
            findings.append(
                InvariantFinding("\(reading.id) with the value \(reading.value) was not", entities: [reading.id.flat]))
        }
    }

    private func isMeasured(_ reading: Reading) -> Bool {
        guard let flat = Int(reading.id.flat.dropFirst(2)), let room = Int(reading.id.room) else { return false }
        return offsets.contains { offset in
            let time = reading.id.milliseconds - offset
            guard model.sampleTime(flat: flat, at: time) == time,
                let value = model.value(reading.id.channel, flat: flat, room: room, at: time)
            else { return false }
            return abs(value - reading.value) <= Self.tolerance * max(1, abs(value))
        }
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        defer { findings = [] }
        return findings
    }
}
