public import SimulationKernel

/// A radio channel: everybody hears what one station sends, and nobody what two send at once.
///
/// A part of the world of one's own, on the kernel's public hooks alone: plain synchronous code, whose time passes in events, whose
/// luck comes from a stream of the seed, and whose decisions are in the digest. The stations' code is ordinary async Swift.
public final class Radio {
    private let world: World
    /// How long a message takes, in ns.
    private let airtime: UInt64
    private let noise: Ratio
    private var luck: RandomStream
    private var stations: [Station] = []
    /// What is in the air, and whether something else was at the same time.
    private var inTheAir: (sender: Station, text: String, end: UInt64, isGarbled: Bool)?
    /// Messages that met another one, and those that noise has swallowed.
    public private(set) var (collisions, swallowed) = (0, 0)

    /// Makes a channel in a simulation that has not run: `noise` is how often a message is lost although it was alone.
    public init(_ simulation: Simulation, airtimeMilliseconds: UInt64, noise: Ratio) {
        world = simulation.world
        airtime = airtimeMilliseconds * 1_000_000
        self.noise = noise
        luck = world.stream("radio/noise")
        world.onReport { [unowned self] in ["radio: \(inTheAir == nil ? "nothing" : "a message") in the air"] }
        world.onEnd { [unowned self] in stations = [] }
    }

    /// Adds a station, which runs `boot` at each start.
    public func addStation(_ name: String, boot: @escaping (Station) async throws -> Void) throws {
        var host: Simulation.Host?
        host = try world.addHost(name) { [unowned self] in
            guard let host else { return }
            let station = Station(host, on: self)
            stations.append(station)
            // What it would hear from now on is nobody's.
            host.onCrash { [unowned self] in stations.removeAll { $0 === station } }
            // Its code waits for messages: it can only end when there are no more.
            host.onUnwind { station.end() }
            try await boot(station)
        }
    }

    fileprivate func send(_ text: String, from sender: Station) {
        let now = world.nanoseconds
        if let other = inTheAir, now < other.end {
            collisions += 1
            inTheAir = (sender, "", now + airtime, true)
            return world.record(.radioCollision, text: "\(other.sender.name) \(sender.name)")
        }
        inTheAir = (sender, text, now + airtime, false)
        world.record(.radioSend, now + airtime, text: "\(sender.name) \(text)")
        world.schedule(at: now + airtime) { [unowned self] _ in arrive(text, from: sender) }
    }

    private func arrive(_ text: String, from sender: Station) {
        guard let message = inTheAir, !message.isGarbled else { return }
        inTheAir = nil
        guard !luck.chance(noise) else {
            swallowed += 1
            return world.record(.radioNoise, text: text)
        }
        for station in stations where station.name != sender.name { station.hear(text) }
    }
}

/// A station, as its code sees it: one for each time that it starts.
public final class Station {
    private let host: Simulation.Host
    private let radio: Radio
    private let inbox: AsyncStream<String>.Continuation
    /// What it hears.
    public let messages: AsyncStream<String>

    fileprivate init(_ host: Simulation.Host, on radio: Radio) {
        self.host = host
        self.radio = radio
        (messages, inbox) = AsyncStream.makeStream()
    }

    /// The name of its host.
    public var name: String { host.name }

    /// Sends a message to everybody.
    public func send(_ text: String) { radio.send(text, from: self) }

    /// An event of the host: it waits while the host is paused, and is dropped when it crashes.
    fileprivate func hear(_ text: String) {
        host.schedule(at: 0) { [inbox] _ in inbox.yield(text) }
    }

    fileprivate func end() { inbox.finish() }
}

extension TraceKind {
    fileprivate static let radioSend: TraceKind = TraceKind("radio.send")
    fileprivate static let radioCollision: TraceKind = TraceKind("radio.collision")
    fileprivate static let radioNoise: TraceKind = TraceKind("radio.noise")
}
