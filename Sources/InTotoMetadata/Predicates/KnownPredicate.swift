/// The predicates whose form is known, by the short name that users type. Spec: in-toto attestation v1, predicates;
/// SLSA 1.2.
public enum KnownPredicate: String, CaseIterable, Sendable {
    case testResult = "test-result"
    case scai
    case vsa
    case spdx
    case cyclonedx
    case provenance
    /// A proposal, not an accepted predicate.
    case humanReview = "human-review"
    case runtimeTrace = "runtime-trace"
    case vulns
    case release
    case svr
    case reference

    /// By short name; `review` is `human-review`.
    public init?(name: Text) {
        if name == "review" { self = .humanReview } else { self.init(rawValue: name.description) }
    }

    /// By the URI of any version that is known.
    public init?(type: Text) {
        guard let kind = Self.allCases.first(where: { $0.versions.contains { $0.type == type } }) else { return nil }
        self = kind
    }

    /// The URIs of all versions that are known, newest first.
    package var types: [Text] { versions.map(\.type) }

    /// The type of `predicate` in the newest version, or in the one that the document itself says.
    public func type(of predicate: JSONObject) -> Text {
        switch self {
        case .spdx where predicate["spdxVersion"] == "SPDX-2.3": "https://spdx.dev/Document/v2.3"
        case .spdx where predicate["@context"] != nil: "https://spdx.dev/Document/v3"
        case .spdx: "https://spdx.dev/Document"
        default: versions[0].type
        }
    }

    /// Throws what is wrong first in a predicate of `type`.
    public func check(_ predicate: JSONObject, type: Text) throws(MetadataError) {
        let version = versions.first { $0.type == type } ?? versions[0]
        try PredicateShape.check(version.fields, of: predicate, "the predicate")
    }
}

/// One version of a predicate.
private struct PredicateVersion {
    let type: Text
    let fields: [PredicateShape.Field]

    init(_ type: Text, _ fields: [PredicateShape.Field]) {
        self.type = type
        self.fields = fields
    }
}

extension KnownPredicate {
    /// Newest first.
    private var versions: [PredicateVersion] {
        switch self {
        case .testResult: [PredicateVersion("https://in-toto.io/attestation/test-result/v0.1", Self.testResultFields)]
        case .scai:
            ["https://in-toto.io/attestation/scai/v0.3", "https://in-toto.io/attestation/scai/attribute-report/v0.2"]
                .map { PredicateVersion($0, Self.scaiFields) }
        case .vsa: [PredicateVersion("https://slsa.dev/verification_summary/v1", Self.vsaFields)]
        case .spdx:
            [
                PredicateVersion("https://spdx.dev/Document/v2.3", [.required("spdxVersion", .oneOf(["SPDX-2.3"]))]),
                PredicateVersion(
                    "https://spdx.dev/Document/v3", [.required("@context", .any), .required("@graph", .array(.object))]),
                PredicateVersion("https://spdx.dev/Document", [.required("spdxVersion", .text)]),
            ]
        case .cyclonedx:
            [
                PredicateVersion(
                    "https://cyclonedx.org/bom",
                    [.required("bomFormat", .oneOf(["CycloneDX"])), .required("specVersion", .text)])
            ]
        case .provenance:
            [
                PredicateVersion("https://slsa.dev/provenance/v1", Self.provenanceFields),
                PredicateVersion("https://slsa.dev/provenance/v0.2", Self.olderProvenanceFields),
            ]
        case .humanReview:
            [
                PredicateVersion(
                    "https://in-toto.io/attestation/human-review/v0.1",
                    [
                        .required("result", .text), .optional("reviewLink", .uri), .optional("timestamp", .timestamp),
                    ])
            ]
        case .runtimeTrace:
            [PredicateVersion("https://in-toto.io/attestation/runtime-trace/v0.1", Self.runtimeTraceFields)]
        case .vulns: [PredicateVersion("https://in-toto.io/attestation/vulns/v0.2", Self.vulnsFields)]
        case .release:
            ["https://in-toto.io/attestation/release/v0.2", "https://in-toto.io/attestation/release/v0.1"]
                .map {
                    PredicateVersion(
                        $0,
                        [.required("purl", .uri), .optional("packageId", .text), .optional("releaseId", .text)])
                }
        case .svr:
            [
                PredicateVersion("https://in-toto.io/attestation/svr/v0.2", Self.svrFields(hasPolicies: true)),
                PredicateVersion("https://in-toto.io/attestation/svr/v0.1", Self.svrFields(hasPolicies: false)),
            ]
        case .reference:
            [
                PredicateVersion(
                    "https://in-toto.io/attestation/reference/v0.1",
                    [
                        .required("attester", .members([.required("id", .uri)])),
                        .required("references", .array(.descriptor(with: ["downloadLocation", "mediaType"]))),
                    ])
            ]
        }
    }

    private static let testResultFields: [PredicateShape.Field] = [
        .required("result", .oneOf(["PASSED", "WARNED", "FAILED"])),
        .required("configuration", .array(.descriptor())),
        .optional("url", .uri),
        .optional("passedTests", .texts()), .optional("warnedTests", .texts()), .optional("failedTests", .texts()),
    ]

    private static let scaiFields: [PredicateShape.Field] = [
        .required(
            "attributes",
            .array(
                .members([
                    .required("attribute", .text), .optional("target", .descriptor()),
                    .optional("conditions", .object), .optional("evidence", .descriptor()),
                ]), atLeast: 1)),
        .optional("producer", .descriptor()),
    ]

    private static let vsaFields: [PredicateShape.Field] = [
        .required("verifier", .members([.required("id", .uri), .optional("version", .map(.text))])),
        .optional("timeVerified", .timestamp),
        .required("resourceUri", .uri),
        .required("policy", .descriptor(with: ["uri"])),
        .optional("inputAttestations", .array(.descriptor(with: ["digest"]))),
        .required("verificationResult", .oneOf(["PASSED", "FAILED"])),
        .required("verifiedLevels", .texts()),
        .optional("dependencyLevels", .map(.count)),
        .optional("slsaVersion", .text),
    ]

    private static let provenanceFields: [PredicateShape.Field] = [
        .required(
            "buildDefinition",
            .members([
                .required("buildType", .uri), .required("externalParameters", .object),
                .optional("internalParameters", .object), .optional("resolvedDependencies", .array(.descriptor())),
            ])),
        .required(
            "runDetails",
            .members([
                .required(
                    "builder",
                    .members([
                        .required("id", .uri), .optional("version", .map(.text)),
                        .optional("builderDependencies", .array(.descriptor())),
                    ])),
                .optional(
                    "metadata",
                    .members([
                        .optional("invocationId", .text), .optional("startedOn", .timestamp),
                        .optional("finishedOn", .timestamp),
                    ])),
                .optional("byproducts", .array(.descriptor())),
            ])),
    ]

    private static let olderProvenanceFields: [PredicateShape.Field] = [
        .required("builder", .members([.required("id", .uri)])), .required("buildType", .uri),
        .optional("invocation", .object), .optional("buildConfig", .object), .optional("metadata", .object),
        .optional("materials", .array(.object)),
    ]

    private static let runtimeTraceFields: [PredicateShape.Field] = [
        .required(
            "monitor",
            .members([
                .required("type", .uri), .optional("configSource", .object), .optional("tracePolicy", .object),
            ])),
        .required(
            "monitoredProcess",
            .members([.required("hostID", .uri), .required("type", .uri), .required("event", .text)])),
        .required(
            "monitorLog",
            .members([
                .optional("process", .array(.object)), .optional("network", .array(.object)),
                .optional("fileAccess", .array(.descriptor(with: ["digest"]))),
            ])),
        .optional(
            "metadata",
            .members([.optional("buildStartedOn", .timestamp), .optional("buildFinishedOn", .timestamp)])),
    ]

    private static let vulnsFields: [PredicateShape.Field] = [
        .required(
            "scanner",
            .members([
                .required("uri", .uri), .optional("version", .text),
                .required(
                    "db",
                    .members([
                        .optional("uri", .uri), .optional("version", .text), .required("lastUpdate", .timestamp),
                    ])),
                .required(
                    "result",
                    .array(
                        .members([
                            .required("id", .text),
                            .required(
                                "severity",
                                .array(.members([.required("method", .text), .required("score", .text)]))),
                            .optional("annotations", .array(.object)),
                        ]))),
            ])),
        .required(
            "metadata",
            .members([.required("scanStartedOn", .timestamp), .required("scanFinishedOn", .timestamp)])),
    ]

    private static func svrFields(hasPolicies: Bool) -> [PredicateShape.Field] {
        let policies = hasPolicies ? [PredicateShape.Field.required("policies", .array(.descriptor()))] : []
        return [
            .required("verifier", .members([.required("id", .uri)] + policies)),
            .required("timeCreated", .timestamp), .required("properties", .texts()),
        ]
    }
}
