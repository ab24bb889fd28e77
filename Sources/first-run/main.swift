import SimulationKernel

// A meter that answers after half a second on average, now and then only after many seconds.
let simulation = Simulation(seed: 42)
var latency = try simulation.stream("meter latency")
var longest = Duration.zero

let poller = try simulation.addHost("poller") {
    while true {
        let asked = ContinuousClock.now
        try await Task.sleep(for: latency.duration(.pareto(min: .milliseconds(250), shape: Ratio(2, outOf: 1))))
        longest = max(longest, asked.duration(to: .now))
        try await Task.sleep(for: .seconds(5))
    }
}
let outcome = try simulation.run {
    try await Task.sleep(for: .seconds(1800))
    poller.restart()
    try await Task.sleep(for: .seconds(1800))
}
print(outcome)
print("longest answer: \(longest), boots: \(poller.bootCount)")
