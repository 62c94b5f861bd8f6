internal import InTotoCrypto
internal import InTotoMetadata
public import InTotoStorage
public import SystemPackage

/// Where evidence is looked for.
public enum EvidencePlace: Sendable {
    case folder(EvidenceFolder)
    /// A bundle, or one container; with a link's name, it is read as it is in its folder.
    case file(FilePath)
}

/// A container as it was found: nothing in it is believed yet.
struct FoundEvidence {
    let reference: EvidenceReference
    let content: Result<SignedMetadata, RejectionReason>
    let file: FilePath
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
    private var files: [Text: [LinkFile]] = [:]
    /// Files that are not read, and that may have been meant to be: the first of them.
    private var unread: [(path: FilePath, name: Text)] = []

    init(_ places: [EvidencePlace], _ limits: JSONLimits, _ budget: SignatureBudget) {
        self.places = places
        self.limits = limits
        self.budget = budget
        for place in places {
            switch place {
            case .folder(let folder): add(folder)
            case .file(let path):
                if let step = Self.step(ofLink: path) {
                    files[step, default: []].append(LinkFile(folder: nil, path: path))
                }
            }
        }
    }

    private mutating func add(_ folder: EvidenceFolder) {
        for name in folder.names {
            let path = folder.path(of: name)
            if let step = Self.step(ofLink: name) {
                files[step, default: []].append(LinkFile(folder: (folder, name), path: path))
            } else if unread.count < Self.unreadLimit, Self.looksMisnamed(name) {
                unread.append((path, name))
            }
        }
    }

    private struct LinkFile {
        /// Where it was found, and its name there; nil where the user named it.
        let folder: (EvidenceFolder, name: Text)?
        let path: FilePath

        func contents(limit: Int) throws(StorageError) -> [UInt8] {
            guard let (folder, name) = folder else { return try BoundedReader.contents(of: path, limit: limit) }
            return try folder.contents(of: name, limit: limit)
        }
    }

    /// Most link files of one step.
    static let fileLimit = 1000

    func linkCount(of step: StepName) -> Int { files[step.text]?.count ?? 0 }

    /// Visits the link files of a step, in order of folders and names, each read when its turn comes: nobody has believed
    /// any of them. Those whose bytes `isKnown` are not decoded again. False, and nothing is read, where there are too many.
    func visitLinks(
        of step: StepName, isKnown: (EvidenceReference, FilePath) -> Bool,
        _ body: (FoundEvidence) throws(CryptoError) -> Void
    ) throws(CryptoError) -> Bool {
        let files = files[step.text] ?? []
        guard files.count <= Self.fileLimit else { return false }
        for file in files {
            var found: FoundEvidence
            switch read({ () throws(StorageError) in try file.contents(limit: limits.size) }) {
            case .success(let bytes):
                let reference = Self.reference(file.path, sha256: try Self.sha256(bytes))
                if isKnown(reference, file.path) { continue }
                found = decoded(bytes, reference, file.path)
            case .failure(let reason): found = Self.unread(file.path, reason)
            }
            var folder = file.path
            folder.extension = nil
            found.sublayoutFolder = folder
            try body(found)
        }
        return true
    }

    /// Visits everything in bundles and in files that were named, but for those named as links of `steps` are.
    func visitBundled(besidesLinksOf steps: [StepName], _ body: (FoundEvidence) throws(CryptoError) -> Void)
        throws(CryptoError)
    {
        for place in places {
            switch place {
            case .folder(let folder):
                for name in folder.names where name.utf8.hasSuffix(".intoto.jsonl") {
                    let bytes = read { () throws(StorageError) in try folder.contents(of: name, limit: limits.size) }
                    try visitPieces(folder.path(of: name), bytes, body)
                }
            case .file(let path):
                if let step = Self.step(ofLink: path), steps.contains(where: { $0.text == step }) { continue }
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
        switch read {
        case .success(let bytes): decoded(bytes, Self.reference(path, sha256: try Self.sha256(bytes)), path)
        case .failure(let reason): Self.unread(path, reason)
        }
    }

    private func decoded(_ bytes: [UInt8], _ reference: EvidenceReference, _ path: FilePath) -> FoundEvidence {
        do {
            let metadata = try SignedMetadata(bytes, limits: limits)
            return FoundEvidence(reference: reference, content: .success(metadata), file: path, size: bytes.count)
        } catch {
            return FoundEvidence(reference: reference, content: .failure(.malformed(error)), file: path)
        }
    }

    private static func unread(_ path: FilePath, _ reason: RejectionReason) -> FoundEvidence {
        FoundEvidence(reference: reference(path, sha256: ""), content: .failure(reason), file: path)
    }

    /// The envelopes of a bundle and then the lines that are none, or the one container that the file is.
    private func visitPieces(
        _ path: FilePath, _ read: Result<[UInt8], RejectionReason>, _ body: (FoundEvidence) throws(CryptoError) -> Void
    ) throws(CryptoError) {
        guard case .success(let bytes) = read else { return try body(try one(path, read)) }
        var count = 0
        let unknown = try Bundle.visit(bytes, limits: limits) { (envelope) throws(CryptoError) in
            count += 1
            let reference = Self.reference(path, envelope: count, sha256: try Self.sha256(envelope.payload))
            try body(
                FoundEvidence(
                    reference: reference, content: .success(.envelope(envelope)), file: path,
                    size: envelope.payload.count))
        }
        guard let unknown else {
            // Not a line of anything.
            if count == 0 { try body(try one(path, read)) }
            return
        }
        if count == 0 {
            let whole = try one(path, read)
            // Several classic links, each sound in its line: what is wrong with the file as a whole says little.
            guard unknown.reason == nil, case .failure = whole.content else { return try body(whole) }
        }
        try body(
            FoundEvidence(
                reference: Self.reference(path, sha256: try Self.sha256(bytes)),
                content: .failure(.unknownLines(unknown)), file: path))
    }

    // MARK: What is not read

    /// Files that look as if they were meant to be evidence of the step, and that their names keep from being read.
    func misnamed(for step: StepName) -> [EvidenceFinding] {
        let stem = step.text.utf8 + [UInt8(ascii: ".")]
        return unread.lazy.compactMap { file -> EvidenceFinding? in
            let isBundleLike = file.name.utf8.hasSuffix(Self.bundleLikeSuffix)
            guard isBundleLike || file.name.utf8.starts(with: stem) else { return nil }
            return EvidenceFinding(
                reference: Self.reference(file.path, sha256: ""),
                standing: .rejected(.misnamed(isBundleLike ? "NAME.intoto.jsonl" : "\(step).KEYID8.link")))
        }.prefix(Self.shownMisnamed).map(\.self)
    }

    private static func looksMisnamed(_ name: Text) -> Bool {
        if name.utf8.hasSuffix(bundleLikeSuffix) { return !name.utf8.hasSuffix(".intoto.jsonl") }
        return linkLikeSuffixes.contains(where: name.utf8.hasSuffix)
    }

    private static let bundleLikeSuffix = ".jsonl"
    private static let linkLikeSuffixes = [".link", ".json", ".intoto"]
    private static let unreadLimit = 1000
    private static let shownMisnamed = 5

    private static func reference(_ path: FilePath, envelope: Int? = nil, sha256: Text) -> EvidenceReference {
        EvidenceReference(path: escapedForTerminal(path.string.utf8), envelope: envelope, sha256: sha256)
    }

    static func sha256(_ bytes: [UInt8]) throws(CryptoError) -> Text {
        Hex.encode(try MessageDigest.digest(.sha256, of: bytes))
    }

    private static func step(ofLink path: FilePath) -> Text? {
        path.lastComponent.flatMap { step(ofLink: Text($0.string)) }
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
