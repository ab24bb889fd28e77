import Leases
import SimulatedTestbed

// Lets faults loose on the lock, seed after seed: each mistake must be found, and the sound system must survive the same seeds.
let seeds: ClosedRange<UInt64> = 1...200

func tell(_ result: SimulatedRun.Result, of system: LeaseSystem) {
    print("seed \(result.seed), digest \(result.digest), \(result.stopReason)")
    for violation in result.violations { print(violation) }
    print("the schedule, and what each fault hit:")
    print(system.schedule(seed: result.seed))
    for fault in result.faults { print("  \(fault.fault): \(fault.impact)") }
}

for mistake in Mistake.allCases {
    let system = LeaseSystem(mistake)
    guard let found = try seeds.lazy.map({ try system.run(seed: Seed($0)) }).first(where: { !$0.holds }) else {
        preconditionFailure("no seed finds \(mistake.rawValue)")
    }
    print("== \(mistake.rawValue) is found")
    tell(found, of: system)
}
var (faults, missed) = (0, 0)
for seed in seeds {
    let result = try LeaseSystem().run(seed: Seed(seed))
    faults += result.faults.count
    missed += result.faults.count { $0.impact.verdict == .missed }
    guard !result.holds else { continue }
    tell(result, of: LeaseSystem())
    preconditionFailure("the sound system does not survive seed \(seed)")
}
print("== the sound system survives \(seeds.count) seeds with \(faults) faults, of which \(missed) hit nobody")
