public import InTotoMetadata

/// Names of evidence files. Spec: in-toto v1.0, 4.4; in-toto attestation v1, Bundle.
public enum EvidenceName {
    /// `NAME.KEYID8.link`: a link in a classic metablock or in a DSSE envelope.
    public static func link(step: StepName, keyID: KeyID) -> String { "\(stem(step, keyID)).link" }

    /// `NAME.KEYID8.intoto.jsonl`: a bundle of attestations.
    public static func bundle(step: StepName, keyID: KeyID) -> String { "\(stem(step, keyID)).intoto.jsonl" }

    /// `.NAME.KEYID8.link-unfinished`: a step that has no products yet. Other tools call theirs the same.
    public static func unfinished(step: StepName, keyID: KeyID) -> String { ".\(stem(step, keyID)).link-unfinished" }

    /// Whether a file of this name holds a step that was only begun, whichever tool began it.
    public static func isUnfinished(_ name: [UInt8]) -> Bool {
        name.first == UInt8(ascii: ".") && name.suffix(16).elementsEqual(".link-unfinished".utf8)
    }

    /// The key id's first characters in the name of an unfinished record of `step`; nil for other names.
    public static func keyIDPrefix(inUnfinished name: [UInt8], of step: StepName) -> Text? {
        let prefix = Array(".".utf8) + step.text.utf8 + Array(".".utf8)
        let suffix = Array(".link-unfinished".utf8)
        guard name.count == prefix.count + 8 + suffix.count, name.starts(with: prefix),
            name.suffix(suffix.count).elementsEqual(suffix)
        else { return nil }
        return Text(validating: name.dropFirst(prefix.count).prefix(8))
    }

    private static func stem(_ step: StepName, _ keyID: KeyID) -> String {
        "\(step.text.description).\(keyID.prefix8.description)"
    }
}
