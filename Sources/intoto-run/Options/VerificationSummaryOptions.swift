import ArgumentParser
import InTotoArtifacts
import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import InTotoVerification
import SystemPackage

/// A signed summary of a verdict, for those who trust whoever signs it. Spec: SLSA VSA v1.
struct VerificationSummaryOptions: ParsableArguments {
    @Option(
        name: .customLong("vsa"), help: ArgumentHelp("Write a signed verification summary there.", valueName: "file"))
    var file: String?

    @Option(name: .customLong("vsa-key"), help: ArgumentHelp("The verifier's private key (PEM).", valueName: "key"))
    var key: String?

    @Option(
        name: .customLong("resource-uri"),
        help: ArgumentHelp("Where consumers get what was verified.", valueName: "uri"))
    var resourceURI: String?

    @Option(name: .customLong("verifier-id"), help: ArgumentHelp("Who verifies.", valueName: "uri"))
    var verifierID = "https://in-toto.io/verifiers/intoto-run"

    @Option(
        name: .customLong("vsa-subject"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "What was verified (default: the last step's products, as far as they are here).", valueName: "ref"))
    var subjects: [String] = []

    @Option(
        name: .customLong("vsa-level"), parsing: .upToNextOption,
        help: ArgumentHelp("What keeping this layout means, such as SLSA_BUILD_LEVEL_2.", valueName: "level"))
    var levels = ["SLSA_BUILD_LEVEL_UNEVALUATED"]

    @OptionGroup var passphrase: PassphraseOptions

    func validate() throws {
        let parts = [file, key, resourceURI]
        guard parts.allSatisfy({ $0 == nil }) || parts.allSatisfy({ $0 != nil }) else {
            throw ValidationError("--vsa FILE, --vsa-key KEY and --resource-uri URI belong together")
        }
        guard verifierID.contains(":") else { throw ValidationError("--verifier-id is a URI") }
    }

    /// Loads the key before anything is verified, so that nothing is verified in vain.
    func writer(in context: CommandContext) throws -> VerificationSummaryWriter? {
        guard let file, let key, let resourceURI else { return nil }
        let reference = try KeyReference(key)
        let signer: any Signer
        do {
            signer = try reference.signer(
                .python, try passphrase.passphrases(in: context), in: context,
                environment: context.environmentForPrograms(without: [reference.secretVariable].compactMap(\.self)))
        } catch { throw reference.failure(error) }
        guard !signer.isOpenPGP else {
            throw Failure("\(reference.shown): OpenPGP keys sign no envelopes", hint: "give a key file")
        }
        return VerificationSummaryWriter(
            path: file, signer: signer, resourceURI: Text(resourceURI),
            verifierID: Text(verifierID), references: subjects, levels: levels.map { Text($0) })
    }
}

/// Makes the summary of a verdict, signs it and writes it.
struct VerificationSummaryWriter {
    let path: String
    let signer: any Signer
    let resourceURI: Text
    let verifierID: Text
    let references: [String]
    let levels: [Text]

    /// Throws where there is nothing that it could be about.
    func bytes(of verdict: Verdict) throws -> [UInt8] {
        let isPassed = verdict.outcome == .passed
        var policy = ResourceDescriptor(uri: Text(verdict.layout.path))
        policy.digest = DigestSet(.sha256, verdict.layout.sha256)
        var summary = VerificationSummary(
            verifierID: verifierID, resourceURI: resourceURI, policy: policy, result: isPassed ? .passed : .failed,
            verifiedLevels: isPassed ? levels : ["FAILED"])
        summary.verifierVersion = ["intoto-run": Text(IntotoRun.version)]
        summary.timeVerified = verdict.checkedAt
        summary.inputAttestations = verdict.usedEvidence.map { evidence in
            ResourceDescriptor(
                uri: Text(evidence.path + (evidence.envelope.map { "#\($0)" } ?? "")),
                digest: DigestSet(.sha256, evidence.sha256))
        }
        let statement = summary.statement(about: try subject(of: verdict))
        let payload = try JSONWriter.bytes(.compact) { statement.write(to: &$0) }
        var envelope = Envelope(payload: payload)
        let message = Envelope.preAuthenticationEncoding(payloadType: envelope.payloadType, payload: payload)
        envelope.signatures = [try signer.signature(over: message)]
        return try Bundle([envelope]).bytes()
    }

    /// Hashed here and now, whatever links say of them.
    private func subject(of verdict: Verdict) throws -> [ResourceDescriptor] {
        var options = SnapshotOptions()
        options.allowsMissing = references.isEmpty
        // What a link calls `../x` or `/x` is not here.
        let products = (verdict.products ?? ArtifactSet()).map(\.name.text).filter {
            !$0.utf8.starts(with: "/".utf8) && !$0.utf8.starts(with: "..".utf8)
        }
        let words = references.isEmpty ? products.map { "./\($0)" } : references
        let artifacts: ArtifactSet
        do {
            artifacts = try Snapshot.take(of: ArtifactOptions.references(words), options: options).artifacts
        } catch let error as SnapshotError {
            throw Failure("\(error)", hint: error.hint)
        }
        guard !artifacts.isEmpty else {
            throw Failure(
                "\(Text(path).escaped): nothing is here that a summary could be about",
                hint: "run it where the product is, or name it with --vsa-subject")
        }
        return artifacts.map { ResourceDescriptor(name: $0.name.text, digest: $0.digests) }
    }
}
