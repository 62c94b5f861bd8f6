internal import InTotoCrypto
internal import InTotoMetadata
public import InTotoStorage
public import SystemPackage

/// Where evidence is looked for.
public enum EvidencePlace: Sendable {
    case folder(EvidenceFolder)
    /// A bundle, or one container.
    case file(FilePath)
}

/// A container as it was found: nothing in it is believed yet.
struct FoundEvidence {
    let reference: EvidenceReference
    let content: Result<SignedMetadata, RejectionReason>
    /// Bytes of the file or payload.
    var size = 0
    /// The directory where a sublayout's links stand, should this be one.
    var sublayoutFolder: FilePath?
}

/// The evidence of one layout: links by the names of their files, and bundles.
///
/// A file's name says what to read, never what to believe.
struct EvidencePool {
    private let places: [EvidencePlace]
    private let sizeLimit: Int
    /// Files `STEP.KEYID8.link`, by step.
    private var files: [Text: [(folder: EvidenceFolder, name: Text)]] = [:]

    init(_ places: [EvidencePlace], sizeLimit: Int) {
        self.places = places
        self.sizeLimit = sizeLimit
        for case .folder(let folder) in places {
            for name in folder.names {
                guard let step = Self.step(ofLink: name) else { continue }
                files[step, default: []].append((folder, name))
            }
        }
    }

    /// Most link files of one step.
    static let fileLimit = 1000

    /// The link files of a step, in order of folders and names; nil where there are too many.
    func links(of step: StepName) throws(CryptoError) -> [FoundEvidence]? {
        let files = files[step.text] ?? []
        guard files.count <= Self.fileLimit else { return nil }
        var found: [FoundEvidence] = []
        for file in files {
            let path = file.folder.path(of: file.name)
            found.append(
                try one(path) { () throws(StorageError) in
                    try file.folder.contents(of: file.name, limit: sizeLimit)
                })
            found[found.count - 1].sublayoutFolder = file.folder.path(of: Text(repairing: file.name.utf8.dropLast(5)))
        }
        return found
    }

    /// Everything in bundles and in files that were named.
    func bundled() throws(CryptoError) -> [FoundEvidence] {
        var found: [FoundEvidence] = []
        for place in places {
            switch place {
            case .folder(let folder):
                for name in folder.names where name.utf8.hasSuffix(".intoto.jsonl") {
                    found += try pieces(folder.path(of: name)) { () throws(StorageError) in
                        try folder.contents(of: name, limit: sizeLimit)
                    }
                }
            case .file(let path):
                found += try pieces(path) { () throws(StorageError) in
                    try BoundedReader.contents(of: path, limit: sizeLimit)
                }
            }
        }
        return found
    }

    private func one(
        _ path: FilePath, _ read: () throws(StorageError) -> [UInt8]
    ) throws(CryptoError) -> FoundEvidence {
        let bytes: [UInt8]
        do { bytes = try read() } catch {
            return FoundEvidence(reference: Self.reference(path, sha256: ""), content: .failure(.unreadable(error)))
        }
        let reference = Self.reference(path, sha256: try Self.sha256(bytes))
        do {
            return FoundEvidence(
                reference: reference, content: .success(try SignedMetadata(bytes)), size: bytes.count)
        } catch {
            return FoundEvidence(reference: reference, content: .failure(.malformed(error)))
        }
    }

    /// The envelopes of a bundle, or the one container that the file is.
    private func pieces(
        _ path: FilePath, _ read: () throws(StorageError) -> [UInt8]
    ) throws(CryptoError) -> [FoundEvidence] {
        let bytes: [UInt8]
        do { bytes = try read() } catch {
            return [FoundEvidence(reference: Self.reference(path, sha256: ""), content: .failure(.unreadable(error)))]
        }
        let bundle = Bundle(bytes)
        guard !bundle.envelopes.isEmpty else { return [try one(path) { () throws(StorageError) in bytes }] }
        var found: [FoundEvidence] = []
        for (index, envelope) in bundle.envelopes.enumerated() {
            let sha256 = try Self.sha256(envelope.payload)
            found.append(
                FoundEvidence(
                    reference: Self.reference(path, envelope: index + 1, sha256: sha256),
                    content: .success(.envelope(envelope)), size: envelope.payload.count))
        }
        return found
    }

    private static func reference(_ path: FilePath, envelope: Int? = nil, sha256: Text) -> EvidenceReference {
        EvidenceReference(path: escapedForTerminal(path.string.utf8), envelope: envelope, sha256: sha256)
    }

    static func sha256(_ bytes: [UInt8]) throws(CryptoError) -> Text {
        Hex.encode(try MessageDigest.digest(.sha256, of: bytes))
    }

    /// The step that `STEP.KEYID8.link` is named after.
    private static func step(ofLink name: Text) -> Text? {
        guard name.utf8.hasSuffix(".link") else { return nil }
        let stem = name.utf8.dropLast(5)
        guard stem.count > 9, stem.dropLast(8).last == UInt8(ascii: "."),
            stem.suffix(8).allSatisfy({ Hex.value(of: $0) != nil })
        else { return nil }
        return Text(repairing: stem.dropLast(9))
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ suffix: String) -> Bool { self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
}
