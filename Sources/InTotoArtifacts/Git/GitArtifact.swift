import InTotoMetadata
import SystemPackage

/// `git:PATH[@REV]`: a commit of the repository in a directory as one artifact, named `PATH[@REV]`.
///
/// Digests are `gitCommit` and `gitTree`, and `gitTag` where REV is a tag with an object of its own. Of a branch whose
/// objects are another repository's (`git clone --shared`), `gitCommit` alone. REV is looked for
/// as a full reference, tag, branch, remote branch and full object id, in this order, and never as an expression.
struct GitArtifact {
    private let reference: ArtifactReference
    private let options: SnapshotOptions

    init(_ reference: ArtifactReference, _ options: SnapshotOptions) {
        self.reference = reference
        self.options = options
    }

    func digest() -> WholeDirectory.Digest {
        var result = WholeDirectory.Digest(reference)
        do throws(GitError) {
            let digests = try digests()
            result.digests = digests
            if digests[.gitTree] == nil {
                result.findings.notRecorded.append(NotRecorded(path: reference.wholeName, reason: .borrowedTree))
            }
        } catch {
            if case .noRepository = error, options.allowsMissing {
                result.findings.miss(reference.source, isAllowed: true)
                return result
            }
            result.findings.problems.append(reference.source, .repository(error))
        }
        return result
    }

    func plan() -> (findings: Findings, isThere: Bool) {
        let digest = digest()
        return (digest.findings, digest.digests != nil)
    }

    /// Refuses a repository that is there already and not to be read, before a step in which it may change.
    func preflight() throws(GitError) {
        // What is not there, or not sound, may be made or mended by then.
        guard let (location, _) = try? location() else { return }
        try GitOwnership(options: options.git).check(location)
    }

    private var directory: [UInt8] {
        let base = Array(options.base.string.utf8)
        return reference.isAbsolute ? reference.path : PathBytes.join(base, reference.path)
    }

    /// In this directory itself: the one around it is another repository.
    private func location() throws(GitError) -> (GitLocation, real: [UInt8]) {
        let location = try GitLocation.find(from: directory)
        guard let real = SystemCalls.realPath(.init(bytes: directory)),
            real == location.root ?? location.gitDirectory
        else { throw .noRepository }
        return (location, real)
    }

    private func digests() throws(GitError) -> DigestSet {
        let (location, real) = try location()
        try GitOwnership(options: options.git).check(location)
        _ = try GitReading(location, options.git)
        let references = try GitReferences(location)
        guard let revision = reference.revision else {
            guard let commit = try references.head().commit else {
                throw .broken(path: real, "has no commit yet")
            }
            return try digests(of: commit, isBranch: true, location)
        }
        let (id, isBranch) = try Self.resolve(revision, references)
        return try digests(of: id, isBranch: isBranch, location)
    }

    private static func resolve(
        _ revision: [UInt8], _ references: borrowing GitReferences
    ) throws(GitError) -> (GitObjectID, isBranch: Bool) {
        if revision.elementsEqual("HEAD".utf8), let id = try references.head().commit { return (id, true) }
        let prefixes = revision.starts(with: "refs/".utf8) ? [""] : ["refs/tags/", "refs/heads/", "refs/remotes/"]
        for prefix in prefixes {
            let name = Array(prefix.utf8) + revision
            if GitReferences.isSound(name), let id = try references.id(of: name) {
                return (id, name.starts(with: "refs/heads/".utf8))
            }
        }
        guard let id = GitObjectID(revision.map { $0 | ((0x41...0x5A).contains($0) ? 0x20 : 0) }) else {
            throw .unknownRevision(revision)
        }
        return (id, false)
    }

    /// A branch points at a commit; what else an id names, only its object tells.
    private func digests(
        of id: GitObjectID, isBranch: Bool, _ location: GitLocation
    ) throws(GitError) -> DigestSet {
        // Without libgit2 nothing but the id is known of it.
        if id.text.utf8.count == 64 { throw .unsupported("an artifact in a repository that uses SHA-256") }
        let objects = try GitObjects(location)
        guard let (commit, kind) = try objects.peel(id) else {
            if isBranch, objects.borrows { return DigestSet(.gitCommit, id.text) }
            throw .broken(path: reference.path, "does not hold the object \(id.text)")
        }
        guard kind == .commit, let content = try objects.commit(commit) else {
            throw .broken(path: reference.path, "has no commit under \(id.text)")
        }
        var digests = DigestSet(.gitCommit, commit.text)
        digests[.gitTree] = content.tree.text
        if commit != id { digests[.gitTag] = id.text }
        return digests
    }
}
