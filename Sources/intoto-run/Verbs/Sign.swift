import ArgumentParser
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Signs metadata that is there, or checks its signatures.
struct Sign: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Sign metadata again, finish a run's unsigned payload, or check signatures.",
        discussion: """
            Examples: intoto-run sign kept-1.build.link.unsigned.json -k ci.pem
                      intoto-run sign --check build.1234abcd.link --verification-keys ci.pem.pub

            Exit status: 0 where it is signed, or every given key has signed; 1 where one has not, or a verification \
            summary says FAILED or is not what was expected; 2 where it could not be told or done.
            """)

    @Flag(help: "Check signatures.")
    var check = false

    @Flag(help: ArgumentHelp("As other runners say it: --key names the public keys.", visibility: .hidden))
    var verify = false

    @OptionGroup var result: ResultOptions

    @OptionGroup var trust: TrustOptions
    @OptionGroup var signing: SigningOptions
    @OptionGroup var expectations: SummaryExpectationOptions

    @Flag(name: [.customShort("a"), .long], help: "Keep the signatures that are there.")
    var append = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the signed file goes (default: as a run would name it).", valueName: "file"))
    var output: String?

    @Flag(help: "Replace a file that is already there.")
    var overwrite = false

    @OptionGroup var verbosity: VerbosityOptions

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The same as the argument.", visibility: .hidden))
    var namedFile: String?

    @Argument(help: "A link, a layout, an envelope or a bundle.")
    var files: [String] = []

    /// The one that is meant, once `validate` has passed.
    private var file: String { (files + [namedFile].compactMap(\.self))[0] }

    func validate() throws {
        switch files.count + (namedFile == nil ? 0 : 1) {
        case 1: break
        case 0: throw ValidationError("Missing expected argument '<file>'")
        default: throw ValidationError("one file at a time, please")
        }
        guard check || verify || expectations.isEmpty else {
            throw ValidationError("--expect-… options are for --check")
        }
        if verify {
            guard !(signing.keys + trust.keys).isEmpty else { throw ValidationError("no --key to verify with") }
            return
        }
        guard check else { return }
        guard !trust.keys.isEmpty else { throw ValidationError("no --verification-keys to check with") }
        guard signing.keys.isEmpty else { throw ValidationError("--check takes --verification-keys, and no --key") }
    }

    func run(in context: CommandContext) throws -> Int32 {
        let evidence = try EvidenceFile(reading: file, in: context)
        return check || verify ? try checkSignatures(of: evidence, in: context) : try sign(evidence, in: context)
    }

    // MARK: Checking

    private func checkSignatures(of evidence: EvidenceFile, in context: CommandContext) throws -> Int32 {
        var trust = trust
        if verify { trust.keys += signing.keys }
        let keys = try trust.publicKeys(in: context)
        var pieces: [CheckedPiece] = []
        for (index, metadata) in evidence.metadata.enumerated() {
            do {
                let payload = try metadata.authenticated(by: keys, threshold: keys.count).payload
                let result = try expectations.isEmpty ? payload.summaryResult() : nil
                pieces.append(.signed(payload, result))
            } catch let error as MetadataError {
                throw Failure("\(evidence.name(ofPiece: index)): \(error)")
            } catch let error as AuthenticationError {
                guard error.isRefusal else { throw Failure("\(evidence.name(ofPiece: index)): \(error)") }
                pieces.append(.refused(error))
            }
        }
        let payloads = pieces.compactMap(\.payload)
        let unmet = try expectations.refusals(of: payloads, isAll: payloads.count == pieces.count)
        let isGood = pieces.allSatisfy(\.isGood) && unmet.isEmpty
        if result.json {
            var object = Self.json(pieces, keys)
            object["good"] = .bool(isGood)
            if !expectations.isEmpty { object["summaryRefusals"] = .array(unmet.map { .string(Text($0)) }) }
            try context.print(JSONText.indented(object))
        } else {
            let isSummary = !expectations.isEmpty
            var lines = Self.lines(pieces, keys, isSummary ? "signature good" : "good")
            lines += unmet.map { "not good: \($0)" }
            if isSummary && isGood { lines.append("summary good: PASSED, \(expectations.summary)") }
            for line in lines { try context.print(line) }
        }
        return isGood ? ExitStatus.success : ExitStatus.no
    }

    /// One container of the file, checked.
    private enum CheckedPiece {
        /// With a summary's result, where nothing but the signature is asked for.
        case signed(Payload, VerificationSummary.Result?)
        case refused(AuthenticationError)

        var payload: Payload? { if case .signed(let payload, _) = self { payload } else { nil } }

        var isGood: Bool { if case .signed(_, let result) = self { result != .failed } else { false } }
    }

    /// `good`: what a signature is that fits.
    private static func lines(_ pieces: [CheckedPiece], _ keys: [PublicKey], _ good: String) -> [String] {
        let ids = keys.map { $0.keyID(.python).description }.joined(separator: ", ")
        return pieces.enumerated().map { index, piece in
            let place = pieces.count == 1 ? "" : "envelope \(index + 1): "
            return switch piece {
            case .refused(let refusal): place + "not good: \(refusal)\(silentKeys(refusal, keys))"
            case .signed(_, nil): place + "\(good): signed by \(ids)"
            case .signed(_, let result?):
                place + "signature good: signed by \(ids); result \(result.rawValue); nothing else was checked"
            }
        }
    }

    private static func json(_ pieces: [CheckedPiece], _ keys: [PublicKey]) -> JSONObject {
        let results = pieces.map { piece -> JSONValue in
            switch piece {
            case .signed(_, nil): return ["good": true]
            case .signed(_, let result?):
                return ["good": .bool(piece.isGood), "summaryResult": .string(Text(result.rawValue))]
            case .refused(let refusal):
                return ["good": false, "reason": .string(Text(refusal.description + silentKeys(refusal, keys)))]
            }
        }
        return ["keyids": .array(keys.map { .string($0.keyID(.python).text) }), "results": .array(results)]
    }

    /// The keys that no signature is by, nor claims to be by: the other lines do not name them.
    private static func silentKeys(_ error: AuthenticationError, _ keys: [PublicKey]) -> String {
        guard case .notEnoughSignatures(_, let checks) = error else { return "" }
        let named = checks.compactMap { check in
            switch check.outcome {
            case .valid(let key), .bad(let key): key
            case .unknownKey: nil
            }
        }
        return keys.filter { !named.contains($0) }.map { "\n  no signature by '\($0.keyID(.python))'" }.joined()
    }

    // MARK: Signing

    private func sign(_ evidence: EvidenceFile, in context: CommandContext) throws -> Int32 {
        guard evidence.metadata.count == 1, let metadata = evidence.metadata.first else {
            throw Failure(
                "\(Text(file).escaped): holds \(evidence.metadata.count) envelopes", hint: "sign them one by one")
        }
        let signers = try signing.signers(in: context)
        do {
            let signed = try metadata.signed(by: signers, keepingSignatures: append)
            let target = try output.map { FilePath($0) } ?? FilePath(metadata.fileName(signers, asReadFrom: file))
            let place = try EvidenceDirectory.reserve(
                target, overwrite: overwrite || Self.isSame(target, FilePath(file)))
            try place.commit(JSONWriter.lines(signed.style) { signed.write(to: &$0) })
            try result.report(written: [place.path], note: { verbosity.note($0, in: context) }, in: context)
        } catch let error as StorageError {
            throw Failure(error.description, hint: EvidenceOptions.hint(for: error))
        } catch let error as MetadataError { throw Failure("\(Text(file).escaped): \(error)") }
        return ExitStatus.success
    }

    /// Whether both paths lead to one name in one directory. A directory that cannot be opened is no other's.
    private static func isSame(_ a: FilePath, _ b: FilePath) -> Bool {
        guard a != b else { return true }
        guard a.lastComponent == b.lastComponent, let first = try? EvidenceDirectory(of: a),
            let second = try? EvidenceDirectory(of: b)
        else { return false }
        return first.isSame(as: second)
    }
}

extension Payload {
    /// What a verification summary came to; nil for what is none.
    fileprivate func summaryResult() throws(MetadataError) -> VerificationSummary.Result? {
        guard let summary else { return nil }
        return try VerificationSummary(summary).result
    }
}

extension SignedMetadata {
    /// One line for an envelope, as bundles need it.
    fileprivate var style: JSONWriter.Style {
        switch self {
        case .envelope: .compact
        case .metablock: .indented
        }
    }

    /// The same payload, to the byte, under other signatures.
    fileprivate func signed(by signers: [any Signer], keepingSignatures: Bool) throws -> SignedMetadata {
        _ = try payload()
        func kept(_ signatures: [Signature]) -> [Signature] {
            keepingSignatures ? signatures.filter { old in !signers.contains { $0.keyID == old.keyID } } : []
        }
        switch self {
        case .envelope(var envelope):
            envelope.signatures = kept(signatures)
            do { try envelope.sign(with: signers) } catch let error as SignerError { throw Failure("\(error)") }
            return .envelope(envelope)
        case .metablock(var metablock):
            let message = try signedBytes()
            metablock.signatures = try kept(signatures) + signers.map { try $0.signature(over: message) }
            metablock.openPGPSignatures = kept(metablock.openPGPSignatures)
            return .metablock(metablock)
        }
    }

    /// As a run would name it; a layout stays where it is.
    fileprivate func fileName(_ signers: [any Signer], asReadFrom path: String) throws -> String {
        let payload = try payload()
        if case .layout = payload { return path }
        guard let link = try payload.link(), let keyID = signers.first?.keyID else {
            throw Failure("where does it go?", hint: "give --output FILE: only links have a name of their own")
        }
        return switch payload {
        case .statement: EvidenceName.bundle(step: link.name, keyID: keyID)
        case .link, .layout: EvidenceName.link(step: link.name, keyID: keyID)
        }
    }
}
