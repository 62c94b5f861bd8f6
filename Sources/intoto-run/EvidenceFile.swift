import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// A file of evidence: one container, or a bundle of envelopes.
struct EvidenceFile {
    let path: String
    let metadata: [SignedMetadata]

    /// Warns of lines of a bundle that are no envelopes.
    init(reading path: String, in context: CommandContext) throws {
        self.path = path
        let bytes: [UInt8]
        do { bytes = try BoundedReader.contents(of: FilePath(path)) } catch { throw Failure.reading(path, error) }
        do throws(MetadataError) {
            metadata = [try SignedMetadata(bytes)]
        } catch {
            metadata = try Self.envelopes(of: bytes, path, error, in: context)
        }
        try refuseUnfinished()
    }

    /// A step that was only begun proves nothing. Other tools' records of such are links but for their names.
    private func refuseUnfinished() throws {
        let name = FilePath(path).lastComponent?.string ?? ""
        let isOurs = metadata.contains { $0.payloadType == UnfinishedRecord.payloadType }
        guard isOurs || EvidenceName.isUnfinished(Array(name.utf8)) else { return }
        throw Failure(
            "\(Text(path).escaped): is the unfinished record of a step, which proves nothing yet",
            hint: isOurs
                ? "intoto-run record stop finishes it"
                : "finish it with the tool that began it, and give what that writes")
    }

    private static func envelopes(
        of bytes: [UInt8], _ path: String, _ error: MetadataError, in context: CommandContext
    ) throws -> [SignedMetadata] {
        let bundle = Bundle(bytes)
        guard !bundle.envelopes.isEmpty else {
            throw Failure(
                "\(Text(path).escaped): \(error)",
                hint: "evidence is a link, a layout, a DSSE envelope or a bundle of envelopes, one a line")
        }
        BundleVerb.warn(ofUnknownLines: bundle.ignoredLineCount, of: path, in: context)
        return bundle.envelopes.map(SignedMetadata.envelope)
    }

    /// How messages call one of the pieces: the file, and the place in a bundle.
    func name(ofPiece index: Int) -> String {
        metadata.count == 1 ? Text(path).escaped : "\(Text(path).escaped): envelope \(index + 1)"
    }

    /// The one link that the file holds, whatever its form; where there are keys, `threshold` of them (nil: every
    /// one) must have signed it. What else stands in a bundle, signed by others or of other kinds, is passed over.
    func link(signedBy keys: [PublicKey], threshold: Int? = nil) throws -> Link {
        var links: [Link] = []
        var refusal: Failure?
        for (index, metadata) in metadata.enumerated() {
            do {
                if let link = try Self.payload(of: metadata, keys, threshold ?? keys.count).link() {
                    links.append(link)
                }
            } catch {
                let failure = Failure(
                    "\(name(ofPiece: index)): \(error)", status: error.isRefusal ? ExitStatus.no : nil)
                guard self.metadata.count > 1, error.isRefusal || error.isOfAnotherKind else { throw failure }
                if error.isRefusal { refusal = refusal ?? failure }
            }
        }
        guard let link = links.first else {
            let nothing = Failure(
                "\(Text(path).escaped): holds no link", hint: "give the evidence that a run has written")
            throw refusal ?? nothing
        }
        guard links.count == 1 else {
            throw Failure("\(Text(path).escaped): holds \(links.count) links", hint: "give a file with one link")
        }
        return link
    }

    private static func payload(
        of metadata: SignedMetadata, _ keys: [PublicKey], _ threshold: Int
    ) throws -> Payload {
        keys.isEmpty ? try metadata.payload() : try metadata.authenticated(by: keys, threshold: threshold).payload
    }
}

extension Error {
    /// The signatures were looked at, and do not suffice; any other error means that nobody can tell.
    var isRefusal: Bool {
        switch self as? AuthenticationError {
        case .notSigned, .notEnoughSignatures: true
        case .impossibleThreshold, .metadata, .crypto, nil: false
        }
    }

    /// Well formed, and of a kind that we do not know.
    var isOfAnotherKind: Bool {
        if case .metadata(let error) = self as? AuthenticationError { return error.isOfAnotherKind }
        if case .notEvidence = self as? MetadataError { return true }
        return false
    }
}

extension SignedMetadata {
    /// Nil for classic metadata.
    fileprivate var payloadType: Text? { if case .envelope(let envelope) = self { envelope.payloadType } else { nil } }
}
