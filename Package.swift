// swift-tools-version: 6.1
// Targets stand in the order of the data path. The build runs with
// `--explicit-target-dependency-import-check error`, so an import that is not listed here does not compile.
import PackageDescription

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "sluice",
    products: [.executable(name: "sluice", targets: ["sluice"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CBytes", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .target(name: "CivilTime"),
        .target(name: "Diagnostics"),
        .target(name: "Gzip", dependencies: ["CZlib", "Diagnostics"]),
        .target(name: "Records", dependencies: ["CBytes", "CivilTime", "Diagnostics", "Gzip", crypto]),
        .target(name: "Batching", dependencies: ["CivilTime", "Diagnostics", crypto]),
        .target(
            name: "Redshift", dependencies: ["Batching", "CivilTime", "Diagnostics", "Yams"],
            // schemas/row.schema.json, which tables and paths are made from.
            resources: [.embedInCode("Schema")]),
        .target(name: "HTTP", dependencies: ["Diagnostics"]),
        .target(name: "CurlTransport", dependencies: ["HTTP", "CCurl", "Diagnostics"]),
        .target(name: "AWS", dependencies: ["CBytes", "HTTP", "CivilTime", "Diagnostics", crypto]),
        .target(
            name: "State",
            dependencies: [
                "Batching", "AWS", "HTTP", "CivilTime", "Diagnostics", grdb,
            ]),
        .target(
            name: "Jobs",
            dependencies: [
                "Records", "Batching", "Redshift", "Gzip", "HTTP", "AWS", "State", "CivilTime", "Diagnostics", "Yams",
                crypto,
            ],
            // The example job files, which `sluice init` writes with other values.
            resources: [.embedInCode("Init/Templates")]),
        .executableTarget(
            name: "sluice",
            dependencies: [
                "Jobs", "Records", "Batching", "Redshift", "AWS", "HTTP", "State", "CurlTransport", "CivilTime",
                "Diagnostics",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                logging,
            ]),
        .testTarget(name: "CivilTimeTests", dependencies: ["CivilTime"]),
        .testTarget(name: "GzipTests", dependencies: ["Gzip", "CZlib", "Diagnostics"]),
        .testTarget(name: "PayloadTests", dependencies: ["Records", "Gzip", crypto]),
        .testTarget(name: "DrupalTests", dependencies: ["Records", "Gzip", "CivilTime", "Diagnostics"]),
        .testTarget(
            name: "RecordsTests", dependencies: ["Records", "Gzip", "CivilTime"], exclude: ["Goldens"]),
        .testTarget(name: "BatchingTests", dependencies: ["Batching", "CivilTime", "Diagnostics"]),
        .testTarget(name: "RedshiftTests", dependencies: ["Redshift", "Jobs", "Batching", "CivilTime", "Diagnostics"]),
        .testTarget(name: "AWSTests", dependencies: ["AWS", "HTTP", "CivilTime", "Diagnostics"]),
        .testTarget(
            name: "CurlTransportTests", dependencies: ["CurlTransport", "HTTP", "Diagnostics"],
            exclude: ["Support/server.py"]),
        .testTarget(name: "StateTests", dependencies: ["State", "Batching", "AWS", "CivilTime", "Diagnostics", grdb]),
        .testTarget(
            name: "JobFileTests",
            dependencies: ["Jobs", "Redshift", "Records", "Gzip", "CivilTime", "Diagnostics", "Yams"]),
        .testTarget(name: "ShipTests", dependencies: ["Jobs", "Records", "State", "AWS", "CivilTime", "Diagnostics"]),
        .testTarget(
            name: "FluentdTests", dependencies: ["sluice", "Jobs", "Records", "Gzip", "CivilTime", "Diagnostics"],
            exclude: ["Goldens"]),
        .testTarget(
            name: "BackfillTests",
            dependencies: ["Jobs", "Records", "Gzip", "Batching", "AWS", "HTTP", "CivilTime", "Diagnostics"]),
        .testTarget(
            name: "ArchiveTests", dependencies: ["Jobs", "State", "CivilTime", "Diagnostics", "AWS", "Batching"]),
        .testTarget(
            name: "CommandTests",
            dependencies: ["sluice", "Jobs", "Batching", "Records", "CivilTime", "Diagnostics", logging, "Yams"]),
    ]
)

// Every target: Swift 6 language mode (from the tools version), upcoming features, and no warning left standing.
for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        // Kill and error points for the crash tests exist in debug builds only.
        .define("SLUICE_FAILPOINTS", .when(configuration: .debug)),
        .unsafeFlags(["-warnings-as-errors"]),
    ]
}
