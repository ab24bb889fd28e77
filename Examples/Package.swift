// swift-tools-version: 6.2
import PackageDescription

// Somebody else's systems on Windkanal's public products: what the documentation shows is built and tested here.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "examples",
    dependencies: [
        .package(name: "windkanal", path: ".."),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // A lock service with leases, the mistakes that it could have, and the claim that finds them.
        .target(
            name: "Leases",
            dependencies: [
                .product(name: "HTTP", package: "windkanal"),
                .product(name: "SimulatedSQLite", package: "windkanal"),
                .product(name: "Testbed", package: "windkanal"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "lease-sweep",
            dependencies: ["Leases", .product(name: "Testbed", package: "windkanal")],
            swiftSettings: strict),
        // A part of the world of one's own: a radio on which everybody hears everybody, and two who speak at once are lost.
        .target(
            name: "Radio",
            dependencies: [.product(name: "SimulationKernel", package: "windkanal")],
            swiftSettings: strict),
        // An ordinary async client, and its tests before and after they were simulated.
        .target(name: "Quotes", swiftSettings: strict),
        .testTarget(
            name: "QuotesTests",
            dependencies: ["Quotes", .product(name: "WindkanalTesting", package: "windkanal")],
            swiftSettings: strict),
        .testTarget(
            name: "ExamplesTests",
            dependencies: [
                "Leases", "Radio",
                .product(name: "SimulationKernel", package: "windkanal"),
                .product(name: "Testbed", package: "windkanal"),
                .product(name: "TestbedTesting", package: "windkanal"),
                .product(name: "WindkanalXCTest", package: "windkanal"),
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
