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
    private let limits: JSONLimits
    private let budget: SignatureBudget
    /// Files `STEP.KEYID8.link`, by step.
    private var files: [Text: [(folder: EvidenceFolder, name: Text)]] = [:]

    init(_ places: [EvidencePlace], _ limits: JSONLimits, _ budget: SignatureBudget) {
        self.places = places
        self.limits = limits
        self.budget = budget
        for case .folder(let folder) in places {
            for name in folder.names {
                guard let step = Self.step(ofLink: name) else { continue }
                files[step, default: []].append((folder, name))
            }
        }
    }

    /// Most link files of one step.
    static let fileLimit = 1000

    /// Visits the link files of a step, in order of folders and names, each read when its turn comes: nobody has believed
    /// any of them. False, and nothing is read, where there are too many.
    func visitLinks(of step: StepName, _ body: (FoundEvidence) throws(CryptoError) -> Void) throws(CryptoError) -> Bool
    {
        let files = files[step.text] ?? []
        guard files.count <= Self.fileLimit else { return false }
        for file in files {
            let path = file.folder.path(of: file.name)
            var found = try one(
                path,
                read { () throws(StorageError) in
                    try file.folder.contents(of: file.name, limit: limits.size)
                })
            found.sublayoutFolder = file.folder.path(of: Text(repairing: file.name.utf8.dropLast(5)))
            try body(found)
        }
        return true
    }

    /// Visits everything in bundles and in files that were named.
    func visitBundled(_ body: (FoundEvidence) throws(CryptoError) -> Void) throws(CryptoError) {
        for place in places {
            switch place {
            case .folder(let folder):
                for name in folder.names where name.utf8.hasSuffix(".intoto.jsonl") {
                    let bytes = read { () throws(StorageError) in try folder.contents(of: name, limit: limits.size) }
                    try visitPieces(folder.path(of: name), bytes, body)
                }
            case .file(let path):
                let bytes = read { () throws(StorageError) in
                    try BoundedReader.contents(of: path, limit: limits.size)
                }
                try visitPieces(path, bytes, body)
            }
        }
    }

    private func read(_ contents: () throws(StorageError) -> [UInt8]) -> Result<[UInt8], RejectionReason> {
        do {
            let bytes = try contents()
            return budget.allowsReading(bytes.count) ? .success(bytes) : .failure(.tooMuchEvidence)
        } catch { return .failure(.unreadable(error)) }
    }

    private func one(
        _ path: FilePath, _ read: Result<[UInt8], RejectionReason>
    ) throws(CryptoError) -> FoundEvidence {
        let bytes: [UInt8]
        switch read {
        case .success(let read): bytes = read
        case .failure(let reason):
            return FoundEvidence(reference: Self.reference(path, sha256: ""), content: .failure(reason))
        }
        let reference = Self.reference(path, sha256: try Self.sha256(bytes))
        do {
            let metadata = try SignedMetadata(bytes, limits: limits)
            return FoundEvidence(reference: reference, content: .success(metadata), size: bytes.count)
        } catch {
            return FoundEvidence(reference: reference, content: .failure(.malformed(error)))
        }
    }

    /// The envelopes of a bundle, or the one container that the file is.
    private func visitPieces(
        _ path: FilePath, _ read: Result<[UInt8], RejectionReason>, _ body: (FoundEvidence) throws(CryptoError) -> Void
    ) throws(CryptoError) {
        var count = 0
        if case .success(let bytes) = read {
            _ = try Bundle.visit(bytes, limits: limits) { (envelope) throws(CryptoError) in
                count += 1
                let reference = Self.reference(path, envelope: count, sha256: try Self.sha256(envelope.payload))
                try body(
                    FoundEvidence(
                        reference: reference, content: .success(.envelope(envelope)), size: envelope.payload.count))
            }
        }
        if count == 0 { try body(try one(path, read)) }
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
