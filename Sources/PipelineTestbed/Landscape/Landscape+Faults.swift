import Ports
import Randomness
import SimulatedWorld

extension Landscape {
    /// All machines but one.
    func others(of name: String) -> [String] { machineNames.filter { $0 != name } }

    private var machineNames: [String] {
        [Service.measurementServer.host, Service.gateway.host, Service.experimenter, Service.poller.host]
            + machines.keys.filter { $0 != Service.poller.host }.sorted()
    }

    /// Makes both directions between two machines slow.
    func slow(_ left: String, _ right: String, by time: Duration) throws(NetworkError) {
        for (source, target) in [(left, right), (right, left)] {
            let link = try network.link(from: source, to: target)
            var options = link.options
            options.latency = .fixed(usualLatency + time)
            try link.setOptions(options)
        }
    }

    /// Takes cuts and slowness between two machines back.
    func heal(_ left: String, _ right: String) throws(NetworkError) {
        try network.heal(left, right)
        try slow(left, right, by: .zero)
    }

    /// Takes back whatever faults are in place.
    ///
    /// - Returns: What they were, for people.
    @discardableResult
    func healAll() -> [String] {
        var healed: [String] = []
        let names = machineNames
        for (index, left) in names.enumerated() {
            for right in names[..<index] {
                guard let link = try? network.link(from: right, to: left) else { continue }
                if link.state != .up { healed.append("\(right) and \(left) were cut off from each other") }
                if link.options.latency != .fixed(usualLatency) { healed.append("\(right) and \(left) were slow") }
                try? heal(left, right)
            }
        }
        for name in machines.keys.sorted() { healed += machines[name]?.heal() ?? [] }
        return healed
    }
}
