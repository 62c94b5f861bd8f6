// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let cSettings: [CSetting] = [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

// Targets stand bottom up; a name in `dependencies` is a line of the architecture's diagram.
let package = Package(
    name: "intoto-run",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "intoto-run", targets: ["intoto-run"]),
        .library(
            name: "InToto",
            targets: [
                "InTotoMetadata", "InTotoCrypto", "InTotoStorage", "InTotoArtifacts", "InTotoFunctionary",
                "InTotoVerification",
            ]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CSupport", cSettings: cSettings),
        .target(name: "CSHA256", cSettings: cSettings),
        .target(name: "CFileSystem", cSettings: cSettings),
        .target(name: "CKeyCiphers", cSettings: cSettings),
        .target(
            name: "CPKCS11", cSettings: cSettings, linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "CLibgit2", cSettings: cSettings),
        .target(name: "InTotoMetadata", swiftSettings: settings),
        .target(
            name: "InTotoCrypto",
            dependencies: ["InTotoMetadata", "COpenSSL", "CSHA256", "CKeyCiphers", "CPKCS11"],
            swiftSettings: settings
        ),
        .target(
            name: "InTotoStorage", dependencies: ["InTotoMetadata", "CFileSystem", system], swiftSettings: settings),
        .target(
            name: "InTotoArtifacts",
            dependencies: ["InTotoMetadata", "InTotoCrypto", "CFileSystem", "CLibgit2", system],
            swiftSettings: settings
        ),
        .target(
            name: "InTotoFunctionary",
            dependencies: ["InTotoMetadata", "InTotoCrypto", "InTotoArtifacts", "CSupport", system],
            swiftSettings: settings
        ),
        .target(
            name: "InTotoVerification",
            dependencies: ["InTotoMetadata", "InTotoCrypto", "InTotoStorage", system],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "intoto-run",
            dependencies: [
                "InTotoMetadata", "InTotoCrypto", "InTotoStorage", "InTotoArtifacts", "InTotoFunctionary",
                "InTotoVerification", "CSupport", argumentParser, system, yams,
            ],
            swiftSettings: settings,
            // What evidence names the tool by, since hashing it takes longer than a short step.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--build-id=sha1"], .when(platforms: [.linux]))]
        ),

        .target(name: "TestSupport", dependencies: [system], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "InTotoMetadataTests",
            dependencies: ["InTotoMetadata", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InTotoCryptoTests",
            dependencies: ["InTotoCrypto", "InTotoMetadata", "CKeyCiphers", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InTotoStorageTests",
            dependencies: ["InTotoStorage", "InTotoMetadata", "TestSupport", system],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InTotoArtifactsTests",
            dependencies: ["InTotoArtifacts", "InTotoMetadata", "InTotoCrypto", "TestSupport", system],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InTotoFunctionaryTests",
            dependencies: [
                "InTotoFunctionary", "InTotoArtifacts", "InTotoMetadata", "InTotoCrypto", "TestSupport", system,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InTotoVerificationTests",
            dependencies: [
                "InTotoVerification", "InTotoMetadata", "InTotoCrypto", "InTotoStorage", "TestSupport", system,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "intoto-run", "InTotoMetadata", "InTotoCrypto", "InTotoFunctionary", "TestSupport", system,
            ],
            exclude: ["Golden"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: ["intoto-run", "InTotoMetadata", "InTotoCrypto", "InTotoStorage", "TestSupport", system],
            exclude: ["Vectors"],
            swiftSettings: settings
        ),
    ]
)
