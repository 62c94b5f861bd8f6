import InTotoMetadata

/// Turns what the walks found into artifacts, in the order of their names.
struct RecordAssembler {
    private let options: SnapshotOptions
    private let begun: FileStatus.Timestamp
    private let algorithms: [(algorithm: DigestAlgorithm, length: Int)]
    private var findings = Findings()
    private var whole: [[UInt8]: (source: [UInt8], digests: DigestSet)] = [:]

    /// `begun`: before the first file was looked at.
    init(_ options: SnapshotOptions, _ algorithms: [DigestAlgorithm], begun: FileStatus.Timestamp) {
        self.options = options
        self.begun = begun
        self.algorithms = algorithms.map { ($0, RunningDigest.hexLength(of: $0)) }
    }

    private var filesInDirectories = 0

    mutating func append(_ findings: Findings) { self.findings.append(findings) }

    mutating func append(_ digest: WholeDirectory.Digest) {
        if let digests = digest.digests {
            if !UTF8Validation.isValid(digest.name[...]) {
                findings.problems.append(digest.name, .notUTF8)
            } else if let (_, first) = whole.updateValue((digest.source, digests), forKey: digest.name),
                first != digests
            {
                findings.problems.append(digest.source, .changedWhileRead)
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
        let prefixes = StrippedPrefixes(options)
        // How many bytes of each path are not part of the name.
        let cuts = prefixes.isEmpty ? [] : findings.records.map { prefixes.cut(of: Array(findings.path(of: $0))) }
        var result = SnapshotResult()
        var builder = ArtifactSet.Builder()
        builder.reserve(findings.records.count, bytes: findings.arena.count)
        let (arena, records) = (findings.arena, findings.records)
        arena.withUnsafeBytes { arena in
            var previous: (record: Findings.Record, name: UnsafeRawBufferPointer)?
            for index in sortedByName(cuts, arena) {
                let record = records[index]
                let name = Self.name(of: record, cuts.isEmpty ? 0 : cuts[index], in: arena)
                if let previous, SystemCalls.compare(previous.name, name) == 0 {
                    checkTwin(previous.record, record)
                    continue
                }
                previous = (record, name)
                if name.isEmpty { findings.problems.append(findings.path(of: record), .nothingLeftOfName) }
                let digests = arena[(record.start + record.length)...].prefix(digestLength)
                builder.append(name: name, digests: UnsafeRawBufferPointer(rebasing: digests), algorithms)
                result.files += 1
                if record.isLinkText { result.linkTexts.append(ArtifactName(Text(trusted: Array(name)))) }
            }
        }
        for (name, whole) in whole { builder.append(ArtifactName(Text(trusted: name)), whole.digests) }
        try findings.problems.check()
        do { result.artifacts = try builder.finish() } catch {
            let name = error.duplicate.text.utf8
            findings.problems.append(whole[name]?.source ?? name, .sameName(as: file(named: name, cuts)))
            try findings.problems.check()
        }
        result.notRecorded = unique(findings.notRecorded.sorted { $0.path.precedesBytewise($1.path) })
        result.excluded = findings.excluded.sorted { $0.key < $1.key }.map(\.value)
        result.hidden = HiddenFiles(findings.hidden, at: begun)
        result.newlyHidden = findings.newlyHidden.sorted { $0.precedesBytewise($1) }
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

    /// The path of the file that is called so, as a reference to it is written.
    private func file(named name: [UInt8], _ cuts: [Int]) -> [UInt8] {
        let index = findings.records.indices.first { index in
            findings.path(of: findings.records[index]).dropFirst(cuts.isEmpty ? 0 : cuts[index]).elementsEqual(name)
        }
        let path = index.map { Array(findings.path(of: findings.records[$0])) } ?? name
        return path.first == slash ? path : Array("./".utf8) + path
    }

    private static func name(
        of record: Findings.Record, _ cut: Int, in arena: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: arena[(record.start + cut)..<(record.start + record.length)])
    }

    /// Indices of the records in byte order of their names, then of their paths.
    private func sortedByName(_ cuts: [Int], _ arena: UnsafeRawBufferPointer) -> [Int] {
        let records = findings.records
        return records.indices.sorted { a, b in
            if !cuts.isEmpty {
                let order = SystemCalls.compare(
                    Self.name(of: records[a], cuts[a], in: arena), Self.name(of: records[b], cuts[b], in: arena))
                if order != 0 { return order < 0 }
            }
            return SystemCalls.compare(
                Self.name(of: records[a], 0, in: arena), Self.name(of: records[b], 0, in: arena)) < 0
        }
    }

    private func digestBytes(of record: Findings.Record) -> ArraySlice<UInt8> {
        let start = record.start + record.length
        return findings.arena[start..<start + digestLength]
    }

    /// Of all digests of one record, in hexadecimal.
    private var digestLength: Int { algorithms.reduce(0) { $0 + $1.length } }
}
