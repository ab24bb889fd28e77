// swift-tools-version: 6.2
import PackageDescription

let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]
let strict: [SwiftSetting] = common + [.strictMemorySafety()]

let package = Package(
    name: "windkanal",
    products: [
        .library(name: "SimulationKernel", targets: ["SimulationKernel"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Framework: knows no particular system.
        .target(name: "CSystemSeam", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "Randomness", swiftSettings: strict),
        .target(
            name: "SimulationKernel",
            dependencies: ["CSystemSeam", "Randomness"],
            swiftSettings: strict
        ),
        // For the project's own use: benchmarks and the determinism check.
        .executableTarget(
            name: "lab",
            dependencies: [
                "CSystemSeam", "SimulationKernel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: common
        ),
        .testTarget(name: "SimulationKernelTests", dependencies: ["SimulationKernel"], swiftSettings: common),
    ],
    swiftLanguageModes: [.v6]
)
