import InTotoMetadata

/// Turns what the walks found into artifacts, in the order of their names.
struct RecordAssembler {
    private let options: SnapshotOptions
    private let algorithms: [(algorithm: DigestAlgorithm, length: Int)]
    private var findings = Findings()
    private var whole: [(name: [UInt8], digests: DigestSet)] = []

    init(_ options: SnapshotOptions, _ algorithms: [DigestAlgorithm]) {
        self.options = options
        self.algorithms = algorithms.map { ($0, RunningDigest.hexLength(of: $0)) }
    }

    private var filesInDirectories = 0

    mutating func append(_ findings: Findings) { self.findings.append(findings) }

    mutating func append(_ digest: WholeDirectory.Digest) {
        if let digests = digest.digests {
            if UTF8Validation.isValid(digest.name[...]) {
                whole.append((digest.name, digests))
            } else {
                findings.problems.append(digest.name, .notUTF8)
            }
        }
        // Its files are no artifacts by themselves.
        var others = digest.findings
        filesInDirectories += others.records.count
        others.records = []
        others.arena = []
        findings.append(others)
    }

    mutating func finish() throws(SnapshotError) -> SnapshotResult {
        let prefixes = options.stripPrefixes.compactMap { PathBytes.normalized($0[...]) }.sorted { $0.count > $1.count }
        let cuts = findings.records.map { cut(of: $0, prefixes) }
        let order = sortedByName(cuts)
        var result = SnapshotResult()
        var builder = ArtifactSet.Builder()
        var previous: Int?
        for index in order {
            let record = findings.records[index]
            if let previous, isEqual(name(previous, cuts), name(index, cuts)) {
                checkTwin(findings.records[previous], record)
                continue
            }
            previous = index
            if name(index, cuts).isEmpty { findings.problems.append(findings.path(of: record), .nothingLeftOfName) }
            builder.append(name: name(index, cuts), digests: digests(of: record))
            result.files += 1
            if record.isLinkText { result.linkTexts.append(ArtifactName(Text(trusted: Array(name(index, cuts))))) }
        }
        var names: Set<[UInt8]> = []
        for (name, digests) in whole where names.insert(name).inserted {
            builder.append(ArtifactName(Text(trusted: name)), digests)
        }
        try findings.problems.check()
        do { result.artifacts = try builder.finish() } catch {
            findings.problems.append(error.duplicate.text.utf8, .sameName(as: error.duplicate.text.utf8))
            try findings.problems.check()
        }
        result.notRecorded = unique(findings.notRecorded.sorted { $0.path.precedesBytewise($1.path) })
        result.excluded = findings.excluded.sorted { $0.key < $1.key }
            .map { (options.exclusions.patterns[$0.key], $0.value) }
        result.files += filesInDirectories
        result.bytes = findings.bytes
        result.reused = findings.reused
        result.reusable = ReusableDigests(findings.reusable, options)
        return result
    }

    /// Overlapping references find one path twice, which is no collision as long as it did not change between.
    private mutating func checkTwin(_ first: Findings.Record, _ second: Findings.Record) {
        let (path, other) = (findings.path(of: first), findings.path(of: second))
        if !path.elementsEqual(other) {
            findings.problems.append(other, .sameName(as: Array(path)))
        } else if !digestBytes(of: first).elementsEqual(digestBytes(of: second)) {
            findings.problems.append(path, .changedWhileRead)
        }
    }

    /// How many bytes of the path are not part of the name.
    private func cut(of record: Findings.Record, _ prefixes: [[UInt8]]) -> Int {
        if prefixes.isEmpty { return 0 }
        let path = Array(findings.path(of: record))
        guard let prefix = prefixes.first(where: { !$0.isEmpty && PathBytes.isWithin(path, $0) }) else { return 0 }
        return min(prefix.count + 1, path.count)
    }

    private func name(_ index: Int, _ cuts: [Int]) -> ArraySlice<UInt8> {
        findings.path(of: findings.records[index]).dropFirst(cuts[index])
    }

    /// Indices of the records in byte order of their names, then of their paths.
    private func sortedByName(_ cuts: [Int]) -> [Int] {
        let records = findings.records
        return findings.arena.withUnsafeBufferPointer { arena in
            records.indices.sorted { a, b in
                let (first, second) = (records[a], records[b])
                let order = compare(
                    arena[(first.start + cuts[a])..<(first.start + first.length)],
                    arena[(second.start + cuts[b])..<(second.start + second.length)]
                )
                if order != 0 { return order < 0 }
                return compare(
                    arena[first.start..<first.start + first.length], arena[second.start..<second.start + second.length]
                ) < 0
            }
        }
    }

    private func digestBytes(of record: Findings.Record) -> ArraySlice<UInt8> {
        let start = record.start + record.length
        return findings.arena[start..<start + algorithms.reduce(0) { $0 + $1.length }]
    }

    private func digests(of record: Findings.Record) -> [(DigestAlgorithm, [UInt8])] {
        var rest = digestBytes(of: record)
        return algorithms.map { algorithm, length in
            defer { rest = rest.dropFirst(length) }
            return (algorithm, Array(rest.prefix(length)))
        }
    }
}

private func isEqual(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    return a.withUnsafeBytes { a in b.withUnsafeBytes { b in SystemCalls.compare(a, b) == 0 } }
}

/// As `memcmp`, a prefix first.
private func compare(_ a: Slice<UnsafeBufferPointer<UInt8>>, _ b: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
    SystemCalls.compare(
        UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: a)),
        UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: b)))
}
