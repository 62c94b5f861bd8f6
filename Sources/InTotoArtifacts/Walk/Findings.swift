import InTotoMetadata

/// What one worker found, or several together.
struct Findings: Sendable {
    /// Where a record's path stands in the arena; its digests follow, in hexadecimal.
    struct Record: Sendable {
        var start: Int
        var length: Int
        var isLinkText: Bool
        var isExecutable: Bool
    }

    /// Paths with digests: a tree of 300,000 files has to stay small.
    var arena: [UInt8] = []
    var records: [Record] = []
    var notRecorded: [NotRecorded] = []
    /// Paths hidden, by the index of the pattern.
    private(set) var excluded: [Int: ExcludedPaths] = [:]
    /// What patterns hide for what the files are, by recorded path.
    private(set) var hidden: [[UInt8]: FileStatus] = [:]
    /// Those that are new or changed.
    private(set) var newlyHidden: Set<[UInt8]> = []
    var planned: [SnapshotPlan.Entry] = []
    /// References to nothing, as written, where that is no error.
    private(set) var missing: [[UInt8]] = []
    var problems = ProblemList()
    var matchedFilters: Set<Int> = []
    var bytes: UInt64 = 0
    /// The walk was ended on request.
    var isGivenUp = false
    /// How many records have a digest that was known.
    var reused = 0
    var reusable: [FileIdentity: ReusableDigests.Entry] = [:]

    func path(of record: Record) -> ArraySlice<UInt8> { arena[record.start..<record.start + record.length] }

    /// Puts the records in byte order of their paths: each worker its own, at the same time, which leaves little to be
    /// done when they come together.
    mutating func sortRecords() {
        arena.withUnsafeBytes { arena in
            records.sort { a, b in
                SystemCalls.compare(
                    .init(rebasing: arena[a.start..<a.start + a.length]),
                    .init(rebasing: arena[b.start..<b.start + b.length])) < 0
            }
        }
    }

    mutating func miss(
        _ reference: [UInt8], because reason: SnapshotProblem.Reason = .doesNotExist, isAllowed: Bool
    ) {
        if isAllowed { missing.append(reference) } else { problems.append(reference, reason) }
    }

    mutating func exclude(_ path: [UInt8], by index: Int, of exclusions: ExclusionPatterns) {
        excluded[index, default: ExcludedPaths(exclusions.patterns[index])].append(path)
    }

    mutating func hide(_ path: [UInt8], _ file: FileCondition.Hidden) {
        hidden[path] = file.status
        if file.isNew { newlyHidden.insert(path) }
    }

    mutating func append(_ other: consuming Findings) {
        // The first of several is most of it, or all: not worth a copy.
        if records.isEmpty, arena.isEmpty {
            swap(&arena, &other.arena)
            swap(&records, &other.records)
        }
        let offset = arena.count
        arena += other.arena
        records += other.records.map { record in
            var record = record
            record.start += offset
            return record
        }
        notRecorded += other.notRecorded
        for (index, paths) in other.excluded { excluded[index, default: ExcludedPaths(paths.pattern)].append(paths) }
        hidden.merge(other.hidden) { $1 }
        newlyHidden.formUnion(other.newlyHidden)
        planned += other.planned
        missing += other.missing
        problems.append(other.problems)
        matchedFilters.formUnion(other.matchedFilters)
        bytes += other.bytes
        isGivenUp = isGivenUp || other.isGivenUp
        reused += other.reused
        reusable.merge(other.reusable) { $1 }
    }
}

/// Counts problems and keeps the first in order of their paths, whatever order they come in.
struct ProblemList: Sendable {
    private(set) var first: [SnapshotProblem] = []
    private(set) var count = 0

    mutating func append(_ path: some Collection<UInt8>, _ reason: SnapshotProblem.Reason) {
        count += 1
        insert(SnapshotProblem(path: Array(path), reason: reason))
    }

    mutating func append(_ other: ProblemList) {
        count += other.count
        for problem in other.first { insert(problem) }
    }

    func check() throws(SnapshotError) {
        if count > 0 { throw error }
    }

    var error: SnapshotError { SnapshotError(problems: first, count: count) }

    private mutating func insert(_ problem: SnapshotProblem) {
        let place = first.firstIndex { problem.path.precedesBytewise($0.path) } ?? first.endIndex
        first.insert(problem, at: place)
        if first.count > SnapshotError.listedProblems { first.removeLast() }
    }
}
