public import InTotoMetadata

/// Names of evidence files. Spec: in-toto v1.0, 4.4; in-toto attestation v1, Bundle.
public enum EvidenceName {
    /// `NAME.KEYID8.link`: a link in a classic metablock or in a DSSE envelope.
    public static func link(step: StepName, keyID: KeyID) -> String { "\(stem(step, keyID)).link" }

    /// `NAME.KEYID8.intoto.jsonl`: a bundle of attestations.
    public static func bundle(step: StepName, keyID: KeyID) -> String { "\(stem(step, keyID)).intoto.jsonl" }

    private static func stem(_ step: StepName, _ keyID: KeyID) -> String {
        "\(step.text.description).\(keyID.prefix8.description)"
    }
}
