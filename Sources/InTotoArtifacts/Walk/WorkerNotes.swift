import InTotoMetadata

/// What one worker found so far, written by its parts and told in portions.
final class WorkerNotes {
    var findings = Findings()
    private let recordsNames: Bool
    private let report: @Sendable (SnapshotEvent) -> Void
    private var files = 0
    private var bytes: UInt64 = 0

    init(_ rules: WalkRules, _ report: @escaping @Sendable (SnapshotEvent) -> Void) {
        recordsNames = rules.recordsNames
        self.report = report
    }

    func problem(_ path: some Collection<UInt8>, _ reason: SnapshotProblem.Reason) {
        findings.problems.append(path, reason)
    }

    func notRecorded(_ path: [UInt8], _ reason: NotRecorded.Reason, isNamed: Bool = false) {
        if isNamed { return problem(path, .notRegular(reason)) }
        findings.notRecorded.append(NotRecorded(path: path, reason: reason))
    }

    func record(
        _ place: ArtifactPlace, _ digests: [UInt8], size: UInt64, isLinkText: Bool = false, isExecutable: Bool
    ) {
        let path = place.path
        guard !recordsNames || UTF8Validation.isValid(path[...]) else { return problem(path, .notUTF8) }
        findings.records.append(
            .init(start: findings.arena.count, length: path.count, isLinkText: isLinkText, isExecutable: isExecutable)
        )
        findings.arena += path
        findings.arena += digests
        findings.bytes += size
        if let proof = place.proof { findings.reusable[proof.status.identity] = .init(proof: proof, digests: digests) }
        files += 1
        reportProgress(atLeast: 256)
    }

    /// Somebody wants the walk to end: no thread begins anything more.
    func givenUp(_ walk: Walk) {
        findings.isGivenUp = true
        walk.queue.giveUp()
    }

    /// Bytes on their way, of files that are recorded later.
    func didRead(_ count: Int) {
        bytes += UInt64(count)
        reportProgress(atLeast: 256)
    }

    func reportProgress(atLeast count: Int) {
        guard files >= count || bytes >= 16 << 20 else { return }
        report(.progress(files: files, bytes: bytes))
        files = 0
        bytes = 0
    }
}
