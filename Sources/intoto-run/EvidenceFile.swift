import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// A file of evidence: one container, or a bundle of envelopes.
struct EvidenceFile {
    let path: String
    let metadata: [SignedMetadata]
    /// Lines of a bundle that are no envelopes.
    let ignoredLineCount: Int

    init(reading path: String) throws {
        self.path = path
        let bytes: [UInt8]
        do { bytes = try BoundedReader.contents(of: FilePath(path)) } catch { throw Failure.reading(path, error) }
        do throws(MetadataError) {
            metadata = [try SignedMetadata(bytes)]
            ignoredLineCount = 0
        } catch {
            guard let bundle = Self.bundle(bytes, refusedBecause: error) else {
                throw Failure(
                    "\(Text(path).escaped): \(error)",
                    hint: "evidence is a link, a layout, a DSSE envelope or a bundle of envelopes, one a line")
            }
            metadata = bundle.envelopes.map(SignedMetadata.envelope)
            ignoredLineCount = bundle.ignoredLineCount
        }
    }

    /// A bundle of several lines is no single JSON document: something follows the first.
    private static func bundle(_ bytes: [UInt8], refusedBecause error: MetadataError) -> Bundle? {
        guard case .json(.trailingBytes) = error else { return nil }
        let bundle = Bundle(bytes)
        return bundle.envelopes.isEmpty ? nil : bundle
    }

    /// The one link that the file holds, whatever its form; where there are keys, every one must have signed it.
    func link(signedBy keys: [PublicKey]) throws -> Link {
        var links: [Link] = []
        for metadata in metadata {
            do { if let link = try Self.payload(of: metadata, signedBy: keys).link() { links.append(link) } } catch {
                let isRefusal = error is AuthenticationError
                throw Failure("\(Text(path).escaped): \(error)", status: isRefusal ? ExitStatus.no : nil)
            }
        }
        guard let link = links.first else {
            throw Failure("\(Text(path).escaped): holds no link", hint: "give the evidence that a run has written")
        }
        guard links.count == 1 else {
            throw Failure("\(Text(path).escaped): holds \(links.count) links", hint: "give a file with one link")
        }
        return link
    }

    private static func payload(of metadata: SignedMetadata, signedBy keys: [PublicKey]) throws -> Payload {
        keys.isEmpty ? try metadata.payload() : try metadata.authenticated(by: keys, threshold: keys.count).payload
    }
}

extension Payload {
    /// The link that this is, in either form.
    func link() throws(MetadataError) -> Link? {
        switch self {
        case .link(let link): link
        case .statement(let statement) where statement.predicateType == LinkPredicate.type:
            try LinkPredicate.link(from: statement)
        case .statement, .layout: nil
        }
    }
}
