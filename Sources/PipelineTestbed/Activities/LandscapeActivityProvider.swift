import Documents
import Experiments
import Faults
import Pipeline
import Randomness
import SimulatedWorld
import SimulationKernel

/// Performs the activities of our own on a landscape.
final class LandscapeActivityProvider: @unchecked Sendable {
    private let landscape: Landscape
    private let map: LandscapeMap

    init(_ landscape: Landscape, _ map: LandscapeMap) {
        self.landscape = landscape
        self.map = map
    }

    /// Performs an activity.
    func perform(_ call: PythonCall) throws(ActivityError) -> Value {
        guard let activity = LandscapeActivity.named(call.module, call.function) else {
            throw .failed("there is no activity \(call.module).\(call.function) in the simulation")
        }
        let arguments = Arguments(values: call.arguments)
        if let problem = activity.problem(of: call.arguments, in: map) { throw .failed(problem) }
        switch (call.module, call.function) {
        case ("windkanal.network", let function): return try network(function, arguments)
        case ("windkanal.service", let function): return try service(function, machine(arguments), arguments)
        case ("windkanal.disk", let function): return try disk(function, machine(arguments), arguments)
        default: return try ledger(call.function)
        }
    }

    private func machine(_ arguments: Arguments) throws(ActivityError) -> Machine {
        let name = try arguments.text("service")
        guard let machine = landscape.machines[name] else {
            let known = landscape.machines.keys.sorted().joined(separator: ", ")
            throw .failed(
                known.isEmpty
                    ? "the landscape has no 'persistence', and so no service that could be hit"
                    : "there is no service '\(name)'; there are \(known)")
        }
        return machine
    }

    // MARK: Network

    private func network(_ function: String, _ arguments: Arguments) throws(ActivityError) -> Value {
        let name = try arguments.text("service")
        let others = try arguments.optionalText("other").map { [$0] } ?? landscape.others(of: name)
        let time = function == "slow" ? try arguments.seconds("seconds") : .zero
        do throws(NetworkError) {
            for other in others {
                switch function {
                case "cut": try landscape.network.partition(name, other)
                case "slow": try landscape.slow(name, other, by: time)
                default: try landscape.heal(name, other)
                }
            }
        } catch {
            throw .failed("\(error)")
        }
        return .bool(true)
    }

    // MARK: Services

    private func service(
        _ function: String, _ machine: Machine, _ arguments: Arguments
    ) throws(ActivityError) -> Value {
        switch function {
        case "crash": machine.crash(down: try arguments.down())
        case "cut_power": machine.crash(power: true, down: try arguments.down())
        case "start": machine.start()
        default: return .bool(machine.isUp)
        }
        return .bool(true)
    }

    // MARK: Disks

    private func disk(_ function: String, _ machine: Machine, _ arguments: Arguments) throws(ActivityError) -> Value {
        switch function {
        case "fail":
            machine.disk.faults.readFailures = try arguments.ratio("reads")
            machine.disk.faults.writeFailures = try arguments.ratio("writes")
            machine.disk.faults.syncFailures = try arguments.ratio("syncs")
        case "fill": machine.disk.faults.capacity = machine.disk.usedBytes + (try arguments.count("free"))
        case "slow": machine.disk.faults.syncLatency = .fixed(try arguments.seconds("seconds"))
        case "lose": machine.loseDisk()
        default: machine.disk.faults = DiskFaults()
        }
        return .bool(true)
    }

    // MARK: Ledger

    private func ledger(_ function: String) throws(ActivityError) -> Value {
        let audit = landscape.ledger.audit(landscape.machines)
        if let problem = audit.unreadable.first { throw .failed(problem) }
        switch function {
        case "lost": return .integer(audit.lost.count)
        case "pending": return .integer(audit.pending)
        case "stored": return .integer(audit.stored)
        case "not_kept": return .integer(audit.notKept)
        default:
            return [
                "read": .integer(audit.read), "acknowledged": .integer(audit.acknowledged),
                "stored": .integer(audit.stored), "pending": .integer(audit.pending),
                "lost": .integer(audit.lost.count), "recovered": .integer(audit.recovered),
                "not_kept": .integer(audit.notKept), "to_be_read_again": .integer(audit.readable),
                "duplicated": .integer(audit.duplicated), "unexpected": .integer(audit.unexpected.count),
                "never_seen": .integer(audit.unseen), "violations": .array(audit.told.map { .string($0) }),
            ]
        }
    }
}

/// An activity's arguments.
private struct Arguments {
    let values: Value.Object

    func text(_ name: String) throws(ActivityError) -> String {
        guard let text = values[name]?.string else { throw .failed("the argument '\(name)' is a text") }
        return text
    }

    func optionalText(_ name: String) throws(ActivityError) -> String? {
        guard let value = values[name], !value.isNull else { return nil }
        return try text(name)
    }

    func seconds(_ name: String) throws(ActivityError) -> Duration {
        guard let seconds = values[name]?.number, (0...86_400).contains(seconds) else {
            throw .failed("the argument '\(name)' is a number of seconds from 0 to 86400")
        }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    func down() throws(ActivityError) -> Duration? {
        guard let value = values["down"] else { return .seconds(2) }
        return value.isNull ? nil : try seconds("down")
    }

    func count(_ name: String) throws(ActivityError) -> Int {
        guard let value = values[name] else { return 0 }
        guard let count = value.integer, (0...1 << 50).contains(count) else {
            throw .failed("the argument '\(name)' is a whole number from 0 to 2^50")
        }
        return count
    }

    func ratio(_ name: String) throws(ActivityError) -> Ratio {
        guard let value = values[name] else { return .zero }
        guard let number = value.number, (0...1).contains(number) else {
            throw .failed("the argument '\(name)' is a number from 0 to 1")
        }
        return Ratio(UInt64((number * 1_000_000).rounded()), outOf: 1_000_000)
    }
}
