import SimulationKernel

/// An hour of virtual time that touches what every simulation needs: tasks, sleeps, draws, hosts.
enum SmallSimulation {
    /// Runs it for a seed.
    ///
    /// - Returns: What all decisions fold to.
    /// - Throws: ``SimulationError`` when simulations cannot run here; what went wrong in it.
    static func digest(seed: UInt64) throws -> String {
        let simulation = Simulation(seed: Seed(seed))
        var pauses = try simulation.stream("pauses")
        let host = try simulation.addHost("host") {
            while true {
                try await Task.sleep(for: pauses.duration(.pareto(min: .seconds(1), shape: Ratio(2, outOf: 1))))
            }
        }
        let outcome = try simulation.run {
            try await Task.sleep(for: .seconds(1800))
            host.restart()
            try await Task.sleep(for: .seconds(1800))
        }
        try outcome.get()
        return "\(outcome.digest)"
    }
}
