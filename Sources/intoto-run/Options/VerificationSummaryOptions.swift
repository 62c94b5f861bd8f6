import ArgumentParser
import InTotoArtifacts
import InTotoCrypto
import InTotoFunctionary
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
            "Files that were verified (default: the last step's products, as far as they are here).", valueName: "file")
    )
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
        guard !levels.contains(VerificationSummary.failedLevel.description) else {
            throw ValidationError("--vsa-level FAILED: that is for refusals, and stands there by itself")
        }
        guard resourceURI.map(Self.isURI) ?? true else { throw ValidationError("--resource-uri is a URI") }
        guard Self.isURI(verifierID) else { throw ValidationError("--verifier-id is a URI") }
    }

    /// A scheme (RFC 3986, 3.1), a colon, and no character that a URI cannot have.
    private static func isURI(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), let first = text.utf8.first,
            (0x61...0x7A).contains(first | 0x20)
        else { return false }
        let scheme = text.utf8[..<colon].allSatisfy {
            (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
        }
        return scheme && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#"<>"{}|\^`"#.utf8.contains($0) }
    }

    /// Loads the key before anything is verified, so that nothing is verified in vain.
    func writer(in context: CommandContext) throws -> VerificationSummaryWriter? {
        guard let file, let key, let resourceURI else { return nil }
        let reference = try KeyReference(key)
        let signer = try reference.signer(
            .python, try passphrase.passphrases(in: context), in: context,
            environment: context.environmentForPrograms(without: [reference.secretVariable].compactMap(\.self)))
        guard !signer.isOpenPGP else {
            throw Failure("\(reference.shown): OpenPGP keys sign no envelopes", hint: "give a key file")
        }
        return VerificationSummaryWriter(
            file: try OutputFile(file), signer: signer, resourceURI: Text(resourceURI),
            verifierID: Text(verifierID), files: try subjects.map { try SubjectFile($0, in: context) },
            levels: levels.map { Text($0) })
    }
}

/// Makes the summary of a verdict, signs it and writes it.
struct VerificationSummaryWriter {
    let file: OutputFile
    let signer: any Signer
    let resourceURI: Text
    let verifierID: Text
    let files: [SubjectFile]
    let levels: [Text]

    /// The bytes of a bundle; nil where there is nothing that a summary could be about.
    func bytes(of verdict: Verdict, about subjects: [SummarySubject]) throws -> [UInt8]? {
        let subject = subjects.compactMap { subject in
            subject.digests.map { ResourceDescriptor(name: subject.name.text, digest: $0) }
        }
        guard !subject.isEmpty else { return nil }
        let isPassed = verdict.outcome == .passed
        var policy = ResourceDescriptor(uri: Text(verdict.layout.path))
        policy.digest = DigestSet(.sha256, verdict.layout.sha256)
        var summary = VerificationSummary(
            verifierID: verifierID, resourceURI: resourceURI, policy: policy, result: isPassed ? .passed : .failed,
            verifiedLevels: isPassed ? levels : [VerificationSummary.failedLevel])
        summary.verifierVersion = ["intoto-run": Text(IntotoRun.version)]
        summary.timeVerified = verdict.checkedAt
        summary.inputAttestations = verdict.usedEvidence.map { evidence in
            ResourceDescriptor(
                uri: Text(evidence.path + (evidence.envelope.map { "#\($0)" } ?? "")),
                digest: DigestSet(.sha256, evidence.sha256))
        }
        return try summary.statement(about: subject).bundle(signedBy: [signer])
    }

    /// What the summary is about, hashed here and now, whatever links say of it: the files that were named, or else the
    /// last step's products as far as they are here. One file that was named twice is one subject.
    func subjects(of verdict: Verdict) -> [SummarySubject] {
        let algorithms = [.sha256] + [.sha384, .sha512, .gitBlob].filter(verdict.digestAlgorithms.contains)
        let products = verdict.products ?? ArtifactSet()
        var seen: Set<SummarySubject> = []
        return candidates(verdict).flatMap { Self.subjects($0, algorithms, among: products) }
            .filter { seen.insert($0).inserted }
    }

    private func candidates(_ verdict: Verdict) -> [SubjectFile] {
        guard files.isEmpty else { return files }
        // What a link calls `../x` or `/x` is not here.
        return (verdict.products ?? ArtifactSet()).map(\.name).filter {
            !$0.text.utf8.starts(with: "/".utf8) && !$0.text.utf8.starts(with: "../".utf8) && $0 != ".."
        }.map(SubjectFile.init(product:))
    }

    /// The same file under each of its names; none where there is no file.
    private static func subjects(
        _ file: SubjectFile, _ algorithms: [DigestAlgorithm], among products: ArtifactSet
    ) -> [SummarySubject] {
        let names = file.names(among: products)
        do throws(SnapshotError) {
            guard let digests = try SingleFile.digests(of: file.path, algorithms) else { return [] }
            return names.map { SummarySubject(name: $0, digests: digests) }
        } catch {
            let reason = error.problems.first.map { "\($0.reason)" } ?? "\(error)"
            return names.map { SummarySubject(name: $0, unreadable: reason) }
        }
    }

    /// Why there is nothing that a summary of the verdict could be about.
    func lack(in verdict: Verdict) -> Failure {
        let paths = candidates(verdict).map(\.path.escaped)
        let shown = paths.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
        let more = paths.count > 3 ? " and \(paths.count - 3) more" : ""
        return Failure(
            "\(Text(file.path).escaped): nothing is here that a summary could be about"
                + (paths.isEmpty ? "" : " (looked for \(shown)\(more))"),
            hint: "run it where the product is, or say with --vsa-subject FILE which file that is")
    }
}
