import InTotoCrypto
import InTotoMetadata

/// `dir:PATH` and `tree:PATH`: a directory as one artifact.
///
/// `dir:` reads through links to files and leaves out links to directories, as Go's dirhash does, and has its digest
/// under `dirHash`, where Python has `sha256`. `tree:` is what `git write-tree` says of the same files: links by their
/// text, executable or not, no empty directories. Names in it may be any bytes, but for line feeds in `dir:`. Exclusion
/// applies inside both.
struct WholeDirectory {
    /// The one artifact, and what the walk below it met.
    struct Digest {
        var name: [UInt8]
        /// The reference as written.
        var source: [UInt8]
        /// Nil where the directory is absent or excluded.
        var digests: DigestSet?
        var findings = Findings()

        init(_ reference: ArtifactReference, findings: Findings = Findings()) {
            name = reference.wholeName
            source = reference.source
            self.findings = findings
        }
    }

    private let reference: ArtifactReference
    private let options: SnapshotOptions

    init(_ reference: ArtifactReference, _ options: SnapshotOptions) {
        self.reference = reference
        self.options = options
    }

    func digest(_ report: @escaping @Sendable (SnapshotEvent) -> Void) -> Digest {
        let (findings, isThere) = walk(.hash, report)
        var result = Digest(reference, findings: findings)
        guard isThere else { return result }
        do throws(CryptoError) {
            let entries = entries(&result.findings)
            result.digests = isTree ? try Self.gitTree(entries) : try Self.dirHash(entries)
        } catch { result.findings.problems.append(reference.source, .failed("\(error)")) }
        return result
    }

    /// What would be met, without reading it; planned is what is excluded alone, and whether there is an artifact.
    func plan() -> (findings: Findings, isThere: Bool) {
        var (findings, isThere) = walk(.list) { _ in }
        for entry in findings.planned where !entry.isExcluded { check(entry.path[...], &findings.problems) }
        findings.planned.removeAll { !$0.isExcluded }
        return (findings, isThere)
    }

    private func walk(
        _ purpose: WalkRules.Purpose, _ report: @escaping @Sendable (SnapshotEvent) -> Void
    ) -> (findings: Findings, isThere: Bool) {
        var options = options
        options.digests = [isTree ? .gitBlob : .sha256]
        options.symlinks = isTree ? .record : .follow
        options.reuse = .never
        if self.options.symlinks == .refuse { options.symlinks = .refuse }
        var rules = WalkRules(options, purpose)
        rules.followsLinksToDirectories = false
        rules.recordsNames = false

        let starts = WalkStarts([reference], options)
        var findings = starts.findings
        if starts.jobs.isEmpty { return (findings, false) }
        findings.append(Walk(rules, starts, WalkBudget(threads: options.threads), report).run())
        return (findings, true)
    }

    private var isTree: Bool { reference.scheme == .tree }

    private struct Entry {
        /// Relative to the directory.
        var path: [UInt8]
        var digest: ArraySlice<UInt8>
        var record: Findings.Record
    }

    /// Sorted by path, which with its slashes is git's order of entries too.
    private func entries(_ findings: inout Findings) -> [Entry] {
        let prefix = reference.path.count + (reference.path.isEmpty || reference.path == [slash] ? 0 : 1)
        var entries: [Entry] = []
        for record in findings.records {
            let path = findings.path(of: record)
            let digestStart = record.start + record.length
            let digest = findings.arena[
                digestStart..<digestStart + RunningDigest.hexLength(of: isTree ? .gitBlob : .sha256)]
            check(path, &findings.problems)
            entries.append(Entry(path: Array(path.dropFirst(prefix)), digest: digest, record: record))
        }
        return entries.sorted { $0.path.precedesBytewise($1.path) }
    }

    /// A path that was met: that of a file to which the reference leads is no directory.
    private func check(_ path: ArraySlice<UInt8>, _ problems: inout ProblemList) {
        if path.elementsEqual(reference.path) {
            problems.append(reference.source, .notDirectory)
        } else if !isTree, path.contains(UInt8(ascii: "\n")) {
            problems.append(path, .lineFeedInName)
        }
    }

    /// Spec: in-toto attestation v1, DigestSet, `dirHash`.
    private static func dirHash(_ entries: [Entry]) throws(CryptoError) -> DigestSet {
        var digest = try MessageDigest(.sha256)
        for entry in entries { try digest.update(entry.digest + "  ".utf8 + entry.path + "\n".utf8) }
        return DigestSet(.dirHash, Hex.encode(try digest.finish()))
    }

    private static func gitTree(_ entries: [Entry]) throws(CryptoError) -> DigestSet {
        var tree = GitTreeBuilder()
        for entry in entries {
            let mode = entry.record.isLinkText ? "120000" : entry.record.isExecutable ? "100755" : "100644"
            let digest = Hex.decode(Text(trusted: Array(entry.digest))) ?? []
            try tree.append(entry.path.split(separator: slash), mode, digest)
        }
        return DigestSet(.gitTree, Hex.encode(try tree.finish()))
    }
}

/// Makes git's tree objects of files that come in git's order. Source: git, `Documentation/gitformat-*`, `tree.h`.
private struct GitTreeBuilder {
    private var directories: [(name: ArraySlice<UInt8>, content: [UInt8])] = [([], [])]

    mutating func append(_ path: [ArraySlice<UInt8>], _ mode: String, _ digest: [UInt8]) throws(CryptoError) {
        let parents = path.dropLast()
        let shared = zip(directories.dropFirst(), parents).prefix { $0.name == $1 }.count
        while directories.count > shared + 1 { try close() }
        for name in parents.dropFirst(shared) { directories.append((name, [])) }
        add(mode, path.last ?? [], digest)
    }

    /// The digest of the outermost tree.
    mutating func finish() throws(CryptoError) -> [UInt8] {
        while directories.count > 1 { try close() }
        return try Self.digest(of: directories[0].content)
    }

    private mutating func close() throws(CryptoError) {
        let directory = directories.removeLast()
        add("40000", directory.name, try Self.digest(of: directory.content))
    }

    private mutating func add(_ mode: String, _ name: ArraySlice<UInt8>, _ digest: [UInt8]) {
        directories[directories.count - 1].content += Array("\(mode) ".utf8) + name + [0] + digest
    }

    private static func digest(of content: [UInt8]) throws(CryptoError) -> [UInt8] {
        try MessageDigest.digest(.sha1, of: Array("tree \(content.count)\0".utf8) + content)
    }
}
