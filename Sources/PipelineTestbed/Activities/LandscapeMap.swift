import MeasurementServer

/// The names that a scenario's landscape has, for those who want to do something to it.
struct LandscapeMap: Sendable {
    /// Machines whose service and disk faults may hit.
    let services: [String]
    /// All machines.
    let machines: [String]
    /// Machines that answer requests.
    let servers: [String]
    private let flats: Int
    private let rooms: Int

    init(_ scenario: Scenario) {
        let keeps = scenario.persistence != nil
        services = keeps ? ["broker", "ingester", "poller", "storage"] : []
        servers = ["gateway", "measurement-server", "poller"] + (keeps ? ["broker", "storage"] : [])
        machines = servers + ["experimenter"] + (keeps ? ["ingester"] : [])
        flats = scenario.flats
        rooms = scenario.rooms
    }

    /// What is wrong with devices as the measurement server's admin API names them, such as `SD3` or `SD3:1`; nil if nothing is.
    func problem(ofDevices name: String) -> String? {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard MeasurementServer.flatNames(flats).contains(String(parts[0])) else {
            return "there is no flat '\(parts[0])'; there are SD0 to SD\(flats - 1)"
        }
        guard parts.count == 2 else { return nil }
        guard let room = Int(parts[1]), (1...rooms).contains(room) else {
            return "there is no room '\(parts[1])' in \(parts[0]); there are 1 to \(rooms)"
        }
        return nil
    }
}
