import ArgumentParser
import CSystemSeam
import Randomness
import SimulatedWorld
import Torture

/// Cuts the power in the middle of databases' work, seed after seed.
struct CrashesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crashes",
        abstract: "Cuts the power in the middle of databases' work, for each way to keep them.",
        discussion: "Exits with 1 when a way that is safe loses something, or one that is not loses nothing.")

    @Option(help: "Seeds for each way.")
    var seeds: UInt64 = 1000

    func run() throws {
        var isRight = true
        print("| way | sectors | trials with damage | CPU per trial |")
        print("|---|---|---|---|")
        for mode in CrashTrial.Mode.all {
            let disks = Self.disks.filter { $0.isPowersafe || mode.isForEveryDisk }
            for options in mode.isSafe ? disks : [DiskOptions()] {
                let start = seam_thread_cpu()
                let damages = (1...seeds).compactMap { seed -> (UInt64, CrashTrial.Damage)? in
                    var trial = CrashTrial(mode, seed: Seed(seed), options: options)
                    return trial.run().map { (seed, $0) }
                }
                let micros = (seam_thread_cpu() - start) / 1000 / seeds
                print("| \(mode.name) | \(Self.kind(options)) | \(damages.count) of \(seeds) | \(micros) µs |")
                if mode.isSafe != damages.isEmpty {
                    isRight = false
                    for (seed, damage) in damages.prefix(3) { print("seed \(seed): \(damage)") }
                }
            }
        }
        print("")
        print("| storage | sectors | trials with a violation | CPU per trial |")
        print("|---|---|---|---|")
        for variant in StorageTrial.Variant.all {
            for options in variant.isSafe ? Self.disks : [DiskOptions()] {
                let start = seam_thread_cpu()
                let violations = (1...seeds).compactMap { seed -> (UInt64, StorageTrial.Violation)? in
                    var trial = StorageTrial(variant, seed: Seed(seed), options: options)
                    return trial.run().map { (seed, $0) }
                }
                let micros = (seam_thread_cpu() - start) / 1000 / seeds
                print("| \(variant.name) | \(Self.kind(options)) | \(violations.count) of \(seeds) | \(micros) µs |")
                if variant.isSafe != violations.isEmpty {
                    isRight = false
                    for (seed, violation) in violations.prefix(3) { print("seed \(seed): \(violation)") }
                }
            }
        }
        guard isRight else { throw ExitCode(1) }
    }

    private static func kind(_ options: DiskOptions) -> String {
        "\(options.sectorBytes)\(options.isPowersafe ? "" : ", not powersafe")"
    }

    private static let disks: [DiskOptions] = [512, 4096].flatMap { bytes in
        [true, false].map { isPowersafe in
            var options = DiskOptions()
            options.sectorBytes = bytes
            options.isPowersafe = isPowersafe
            return options
        }
    }
}
