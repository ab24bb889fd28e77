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

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")

let package = Package(
    name: "windkanal",
    products: [
        .library(name: "SimulationKernel", targets: ["SimulationKernel", "Randomness"]),
        .library(name: "SimulatedWorld", targets: ["SimulatedWorld", "Faults", "Ports"]),
        .library(name: "SimulatedSQLite", targets: ["SimulatedSQLite", "SQLite"]),
        .library(name: "SocketWorld", targets: ["SocketWorld", "Ports"]),
        .library(name: "HTTP", targets: ["HTTP"]),
        .library(name: "Testbed", targets: ["Testbed", "SimulatedTestbed", "Faults", "Ports"]),
        .library(name: "FaultProxy", targets: ["FaultProxy", "Ports"]),
        .library(name: "Experiments", targets: ["Experiments", "Documents", "Activities"]),
        .library(name: "Sessions", targets: ["Sessions"]),
        .library(name: "WindkanalTesting", targets: ["WindkanalTesting", "SimulationTesting"]),
        .library(name: "WindkanalXCTest", targets: ["WindkanalXCTest", "SimulationTesting"]),
        .library(name: "TestbedTesting", targets: ["TestbedTesting"]),
        .library(name: "Reports", targets: ["Reports", "ReportPages"]),
        .executable(name: "windkanal", targets: ["windkanal"]),
        .executable(name: "windkanal-report", targets: ["windkanal-report"]),
        .executable(name: "windkanal-services", targets: ["windkanal-services"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        // Framework: knows no particular system.
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CProcess"),
        .target(name: "Durations", swiftSettings: strict),
        .target(name: "SQLite", dependencies: ["CSQLite", "Ports"], swiftSettings: strict),
        .target(name: "Documents", dependencies: ["CLibYAML"], swiftSettings: strict),
        .target(name: "Experiments", dependencies: ["Documents", "Durations"], swiftSettings: strict),
        .target(name: "CSystemSeam", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "Randomness", dependencies: ["Durations"], swiftSettings: strict),
        .target(
            name: "SimulationKernel",
            dependencies: ["CSystemSeam", "Randomness"],
            swiftSettings: strict
        ),
        .target(
            name: "Faults", dependencies: ["Documents", "Durations", "Randomness", nioCore], swiftSettings: strict),
        .target(name: "Ports", dependencies: [nioCore], swiftSettings: strict),
        .target(
            name: "SimulatedWorld",
            dependencies: ["Faults", "Ports", "Randomness", "SimulationKernel", nioCore],
            swiftSettings: strict
        ),
        .target(
            name: "SimulatedCluster", dependencies: ["Durations", "Randomness", "SimulationKernel"],
            swiftSettings: strict),
        .target(
            name: "SimulatedSQLite",
            dependencies: ["CSQLite", "Ports", "SimulatedWorld"],
            swiftSettings: strict
        ),
        .target(
            name: "HTTP",
            dependencies: [
                "Ports", nioCore, httpTypes,
            ],
            swiftSettings: strict
        ),
        .target(name: "Measurements", dependencies: ["Documents"], swiftSettings: strict),
        .target(
            name: "Pipeline",
            dependencies: [
                "Documents", "Durations", "HTTP", "Measurements", "Ports", "SQLite", nioCore, httpTypes,
            ],
            swiftSettings: strict),
        .target(
            name: "MeasurementServer",
            dependencies: [
                "Documents", "Durations", "HTTP", "Measurements", "Ports", "Randomness", nioCore, httpTypes,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SocketWorld",
            dependencies: [
                "Ports", nioCore,
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "FaultProxy",
            dependencies: [
                "Documents", "Faults", "HTTP", "Ports", "Randomness", "SocketWorld", nioCore, httpTypes,
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Activities",
            dependencies: [
                "CProcess", "Documents", "Experiments", "HTTP", "Ports", nioCore, httpTypes,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Sessions",
            dependencies: [
                "Activities", "Documents", "Experiments", "HTTP", "SocketWorld", nioCore, httpTypes,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Probing",
            dependencies: [
                "Activities", "Documents", "Durations", "Experiments", "HTTP", "Measurements", "Ports", "SocketWorld",
                nioCore, httpTypes, .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "PipelineTestbed",
            dependencies: [
                "Activities", "Documents", "Durations", "Experiments", "Faults", "HTTP", "MeasurementServer",
                "Measurements", "Pipeline", "Ports", "Randomness", "SQLite", "SimulatedSQLite", "SimulatedTestbed",
                "SimulatedWorld", "SimulationKernel", "Testbed", nioCore, httpTypes,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Testbed", dependencies: ["Documents", "Experiments", "Faults", "Ports", "Randomness"],
            swiftSettings: strict),
        .target(
            name: "SimulatedTestbed",
            dependencies: [
                "Faults", "Ports", "Randomness", "SimulatedSQLite", "SimulatedWorld", "SimulationKernel", "Testbed",
            ],
            swiftSettings: strict
        ),
        // Tests of simulated code and systems: one core, a face for each test framework, trials of deployments and scenarios.
        .target(
            name: "SimulationTesting", dependencies: ["Documents", "SimulationKernel"], swiftSettings: strict),
        .target(
            name: "WindkanalTesting", dependencies: ["SimulationKernel", "SimulationTesting"], swiftSettings: strict),
        .target(name: "WindkanalXCTest", dependencies: ["SimulationTesting"], swiftSettings: strict),
        .target(
            name: "TestbedTesting",
            dependencies: ["SimulatedTestbed", "SimulatedWorld", "SimulationTesting"], swiftSettings: strict),
        .target(
            name: "PipelineTesting",
            dependencies: [
                "Activities", "Documents", "Experiments", "Pipeline", "PipelineTestbed", "ReportPages", "Reports",
                "SimulationTesting", "Testbed",
            ],
            swiftSettings: strict),
        .target(
            name: "Reports", dependencies: ["Documents", "Experiments", "Testbed"], swiftSettings: strict),
        .target(
            name: "ReportPages", dependencies: ["Reports", .product(name: "Mustache", package: "swift-mustache")],
            swiftSettings: strict),
        // Beside the command, because templates bring Foundation: what does not render a page must not load it.
        .executableTarget(
            name: "windkanal-report", dependencies: ["ReportPages", "Reports"], swiftSettings: strict),
        .target(name: "TraceFiles", swiftSettings: strict),

        // The command: its manual, whether it can work here, and the backlog of hypotheses.
        .target(name: "Backlog", dependencies: ["Activities", "Documents", "Sessions"], swiftSettings: strict),
        .target(name: "Manual", dependencies: ["Documents"], swiftSettings: strict),
        .target(
            name: "Diagnosis",
            dependencies: ["Activities", "Documents", "Sessions", "SimulationKernel"],
            swiftSettings: strict),
        .executableTarget(
            name: "windkanal",
            dependencies: [
                "Activities", "Backlog", "Diagnosis", "Documents", "Experiments", "Faults", "Manual", "Measurements",
                "Pipeline", "PipelineTestbed", "Probing", "Randomness", "Reports", "Sessions", "SimulationKernel",
                "Testbed",
                "TraceFiles", argumentParser,
            ],
            swiftSettings: strict
        ),

        // What runs for real, without the functions that simulations replace.
        .executableTarget(
            name: "windkanal-services",
            dependencies: [
                "Activities", "Documents", "Experiments", "FaultProxy", "Ports", "Randomness", "Sessions",
                argumentParser, nioCore, .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),

        .executableTarget(name: "first-run", dependencies: ["SimulationKernel"], swiftSettings: common),

        // The project's own instruments: a workload that uses everything, benchmarks, the determinism check.
        .target(
            name: "Torture",
            dependencies: [
                "Faults", "HTTP", "Measurements", "Pipeline", "Ports", "Randomness", "SQLite", "SimulatedCluster",
                "SimulatedSQLite", "SimulatedWorld", "SimulationKernel", nioCore, httpTypes,
            ],
            swiftSettings: common
        ),
        .target(name: "Fuzzing", dependencies: ["Documents", "Experiments", "Randomness"], swiftSettings: common),
        .executableTarget(
            name: "lab",
            dependencies: [
                "CSystemSeam", "Documents", "Experiments", "Fuzzing", "HTTP", "Measurements", "Pipeline",
                "PipelineTestbed", "Ports", "Randomness", "SimulatedCluster", "SimulatedSQLite", "SimulatedWorld",
                "SimulationKernel", "SocketWorld", "Testbed", "Torture", "TraceFiles", argumentParser, nioCore,
                httpTypes,
            ],
            swiftSettings: common
        ),

        .testTarget(name: "DocumentsTests", dependencies: ["Documents"], swiftSettings: common),
        .testTarget(
            name: "ExperimentsTests", dependencies: ["Documents", "Experiments", "Fuzzing", "Randomness"],
            swiftSettings: common
        ),
        .testTarget(
            name: "FaultsTests", dependencies: ["Documents", "Faults", "Randomness", nioCore], swiftSettings: common),
        .target(name: "CSeamProbes", path: "Tests/CSeamProbes", cSettings: [.treatAllWarnings(as: .error)]),
        .testTarget(
            name: "FaultProxyTests",
            dependencies: [
                "Documents", "FaultProxy", "Faults", "HTTP", "Ports", "Randomness", "SimulatedWorld",
                "SimulationKernel",
                "SocketWorld", nioCore, httpTypes, .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: common
        ),
        .testTarget(name: "RandomnessTests", dependencies: ["Randomness"], swiftSettings: common),
        .testTarget(
            name: "SimulationKernelTests",
            dependencies: ["CSeamProbes", "CSystemSeam", "Randomness", "SimulationKernel", "Torture"],
            packageAccess: false,
            swiftSettings: common
        ),
        .testTarget(
            name: "SimulatedWorldTests",
            dependencies: ["Faults", "Ports", "SimulatedWorld", "SimulationKernel", nioCore],
            swiftSettings: common
        ),
        .testTarget(
            name: "SimulatedClusterTests", dependencies: ["SimulatedCluster", "SimulationKernel", "Torture"],
            swiftSettings: common
        ),
        .testTarget(
            name: "DiskTests",
            dependencies: [
                "Faults", "Ports", "Randomness", "SQLite", "SimulatedSQLite", "SimulatedWorld", "SimulationKernel",
                "Torture",
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "Documents", "Faults", "HTTP", "Measurements", "Pipeline", "Ports", "Randomness", "SQLite",
                "SimulatedSQLite",
                "SimulatedWorld", "SimulationKernel", "Torture", nioCore, httpTypes,
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Activities", "Documents", "Experiments", "HTTP", "MeasurementServer", "Measurements", "Pipeline",
                "Ports", "Randomness",
                "Probing", "Sessions", "SocketWorld", "SimulatedWorld", "SimulationKernel", nioCore,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                httpTypes,
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "ActivitiesTests",
            dependencies: ["Activities", "Documents", "Experiments", "HTTP", nioCore, httpTypes],
            swiftSettings: common
        ),
        .testTarget(
            name: "SessionsTests",
            dependencies: [
                "Activities", "Documents", "Experiments", "HTTP", "Ports", "Sessions", "SocketWorld", nioCore,
                httpTypes,
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: common
        ),
        .testTarget(name: "MeasurementsTests", dependencies: ["Documents", "Measurements"], swiftSettings: common),
        .testTarget(
            name: "PipelineTests", dependencies: ["Documents", "Measurements", "Pipeline"], swiftSettings: common),
        .testTarget(
            name: "PollerTests",
            dependencies: [
                "Documents", "HTTP", "MeasurementServer", "Measurements", "Pipeline", "Ports", "Randomness",
                "SimulatedSQLite", "SimulatedWorld", "SimulationKernel", nioCore, httpTypes,
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "MeasurementServerTests",
            dependencies: ["Documents", "MeasurementServer", "Measurements", "Randomness"],
            swiftSettings: common
        ),
        .testTarget(
            name: "ScenarioTests",
            dependencies: [
                "Documents", "Experiments", "Faults", "MeasurementServer", "Measurements", "Pipeline",
                "PipelineTestbed", "SimulatedWorld", "SimulationKernel", "Testbed",
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "TestbedTests",
            dependencies: [
                "Documents", "Faults", "HTTP", "Ports", "Randomness", "SimulatedTestbed", "SimulatedWorld",
                "SimulationKernel", "Testbed", nioCore, httpTypes,
            ],
            swiftSettings: common
        ),
        .testTarget(
            name: "SimulationTestingTests", dependencies: ["SimulationTesting"], packageAccess: false,
            swiftSettings: common),
        .testTarget(
            name: "WindkanalTestingTests",
            dependencies: [
                "SimulationTesting", "TestbedTesting", "WindkanalTesting", "WindkanalXCTest",
            ],
            packageAccess: false, swiftSettings: common),
        .testTarget(
            name: "PipelineTestingTests", dependencies: ["PipelineTesting", "WindkanalTesting", "WindkanalXCTest"],
            swiftSettings: common),
        .testTarget(
            name: "ReportsTests", dependencies: ["Documents", "Experiments", "ReportPages", "Reports"],
            swiftSettings: common),
        .testTarget(name: "TraceFilesTests", dependencies: ["TraceFiles"], swiftSettings: common),
        .testTarget(
            name: "BacklogTests",
            dependencies: ["Backlog", "Documents", "Experiments", "PipelineTestbed", "Sessions"],
            swiftSettings: common),
        .testTarget(
            name: "CommandLineTests", dependencies: ["Diagnosis", "Documents", "Manual", "Sessions"],
            swiftSettings: common),
        .testTarget(name: "ArchitectureTests", swiftSettings: common),
    ],
    swiftLanguageModes: [.v6]
)
