import Faults
import Randomness
import SimulatedWorld

/// What links, hosts, disks and clocks do follows from all faults that act on them.
extension SimulatedFaultController {
    var active: [ActiveFault] { all.filter(\.isActive) }

    func update(_ key: LinkKey) {
        guard let link = try? deployment.network.link(from: key.source, to: key.target) else { return }
        var options = Link.Options(latency: .fixed(deployment.deployment.latency))
        var state = Link.State.up
        var toxics: [Toxic] = []
        for entry in active where entry.links.contains(key) {
            guard case .link(let fault, _) = entry.fault else { continue }
            switch fault {
            case .cut: state = .cut
            case .hold: if state == .up { state = .held }
            case .slow(let time, let jitter): options.latency = latency(time, jitter)
            case .lose(let share): options.loss = share
            case .limit(let bytes): options.bytesPerSecond = UInt64(bytes)
            case .toxic(let toxic):
                toxics.removeAll { $0.name == toxic.name }
                toxics.append(toxic)
            case .reset: break
            }
        }
        set(state, of: link)
        if link.options != options { try? link.setOptions(options) }
        for old in link.toxics where !toxics.contains(where: { $0.name == old.name }) { link.removeToxic(old.name) }
        for toxic in toxics where !link.toxics.contains(toxic) { try? link.setToxic(toxic) }
    }

    func latency(_ time: Duration, _ jitter: Duration) -> DurationDistribution {
        let least = deployment.deployment.latency + time
        return jitter == .zero ? .fixed(least) : .uniform(min: least, max: least + jitter)
    }

    func set(_ state: Link.State, of link: Link) {
        switch state {
        case .cut: link.cut()
        case .held: link.hold()
        case .up:
            link.heal()
            link.release()
        }
    }

    func updateListener(_ host: String) {
        var faults = ListenerFaults()
        for entry in active where entry.targets.contains(where: { $0.name == host }) {
            guard case .listener(let fault, _) = entry.fault else { continue }
            switch fault {
            case .refuse: faults.isRefusing = true
            case .blackHole: faults.isBlackHole = true
            case .acceptLate(let delay): faults.acceptDelay = delay
            case .unresolvable: break
            }
        }
        try? deployment.network.setListenerFaults(of: host, faults)
    }

    func isUnresolvable(_ host: String) -> Bool {
        active.contains { entry in
            guard case .listener(.unresolvable, _) = entry.fault else { return false }
            return entry.targets.contains { $0.name == host }
        }
    }

    func updateDisk(_ name: String) {
        guard let process = deployment.process(named: name) else { return }
        var faults = DiskFaults()
        for entry in active where entry.targets.contains(where: { $0.name == name }) {
            guard case .disk(let fault, _) = entry.fault else { continue }
            faults.add(fault, usedBytes: entry.usedBytes[name] ?? 0)
        }
        for volume in process.disksInOrder { volume.disk.faults = faults }
    }

    static func skew(_ process: SimulatedProcess, _ fault: ClockFault) {
        switch fault {
        case .step(let offset): process.stepClock(by: offset)
        case .drift(let drift): process.driftClock(nanosecondsPerSecond: drift)
        }
    }

    func updateClock(_ name: String) {
        guard let process = deployment.process(named: name) else { return }
        process.unskewClock()
        for entry in active where entry.targets.contains(where: { $0.name == name }) {
            if case .clock(let fault, _) = entry.fault { Self.skew(process, fault) }
        }
    }
}
