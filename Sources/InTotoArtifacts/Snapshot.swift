import InTotoMetadata

/// Artifact references become artifacts with digests.
public enum Snapshot {
    /// Reads everything that the references name.
    ///
    /// `report` is called from several threads. Throws where anything named cannot be recorded: nothing is left out
    /// silently.
    public static func take(
        of references: [ArtifactReference], options: SnapshotOptions = SnapshotOptions(),
        report: @escaping @Sendable (SnapshotEvent) -> Void = { _ in }
    ) throws(SnapshotError) -> SnapshotResult {
        try check(options)
        report(.began)
        defer { report(.ended) }
        let files = references.filter { $0.scheme == .file }
        let findings = walk(files, options, WalkRules(options, .hash), report)
        if findings.isGivenUp { throw givenUp(references) }
        var assembler = RecordAssembler(options, Set(options.digests).sorted())
        assembler.append(findings)
        for reference in references where reference.scheme != .file {
            let whole =
                reference.scheme == .git
                ? GitArtifact(reference, options).digest() : WholeDirectory(reference, options).digest(report)
            if whole.findings.isGivenUp { throw givenUp(references) }
            assembler.append(whole)
        }
        return try assembler.finish()
    }

    private static func givenUp(_ references: [ArtifactReference]) -> SnapshotError {
        var problems = ProblemList()
        for reference in references { problems.append(reference.source, .givenUp) }
        return problems.error
    }

    /// Checks before the command runs what will be asked for after it: products may be absent then.
    public static func preflight(
        _ references: [ArtifactReference], options: SnapshotOptions = SnapshotOptions()
    ) throws(SnapshotError) {
        try check(options)
        var options = options
        options.allowsMissing = true
        var problems = ProblemList()
        if let reference = references.first(where: { $0.scheme == .git }) {
            do throws(GitError) { _ = try GitLibrary.functions() } catch {
                problems.append(reference.source, .failed(error.description))
            }
        }
        for group in groups(references.filter { $0.scheme != .git }) {
            problems.append(WalkStarts(group, options).findings.problems)
        }
        try problems.check()
    }

    /// Lists what would be recorded, and what is excluded by which pattern. `dir:`, `tree:` and `git:` stand for themselves.
    public static func plan(
        _ references: [ArtifactReference], options: SnapshotOptions = SnapshotOptions()
    ) throws(SnapshotError) -> SnapshotPlan {
        try check(options)
        let files = references.filter { $0.scheme == .file }
        let findings = walk(files, options, WalkRules(options, .list)) { _ in }
        try findings.problems.check()
        let whole = references.filter { $0.scheme != .file }
            .map { SnapshotPlan.Entry(path: $0.wholeName, isDirectory: false, excludedBy: nil) }
        return SnapshotPlan(
            entries: unique((findings.planned + whole).sorted { $0.path.precedesBytewise($1.path) }),
            notRecorded: unique(findings.notRecorded.sorted { $0.path.precedesBytewise($1.path) })
        )
    }

    /// Walks in groups, since each absolute reference holds a descriptor.
    static func walk(
        _ references: [ArtifactReference], _ options: SnapshotOptions, _ rules: WalkRules,
        _ report: @escaping @Sendable (SnapshotEvent) -> Void
    ) -> Findings {
        var findings = Findings()
        let budget = WalkBudget(threads: options.threads)
        for group in groups(references) {
            let starts = WalkStarts(group, options)
            var found = starts.findings
            if !starts.jobs.isEmpty { found.append(Walk(rules, starts, budget, report).run()) }
            if !options.allowsMissing {
                for (index, filter) in starts.filters.enumerated() where !found.matchedFilters.contains(index) {
                    found.problems.append(filter.source, .matchesNothing)
                }
            }
            found.matchedFilters = []
            findings.append(found)
            if findings.isGivenUp { break }
        }
        return findings
    }

    private static func groups(_ references: [ArtifactReference]) -> [[ArtifactReference]] {
        let relative = references.filter { !$0.isAbsolute }
        let absolute = references.filter(\.isAbsolute)
        let parts = stride(from: 0, to: absolute.count, by: 8).map { Array(absolute[$0..<min($0 + 8, absolute.count)]) }
        return (relative.isEmpty ? [] : [relative]) + parts
    }

    private static func check(_ options: SnapshotOptions) throws(SnapshotError) {
        var problems = ProblemList()
        if options.digests.isEmpty { problems.append([], .failed("no digest algorithm was chosen")) }
        for algorithm in options.digests where RunningDigest.function(of: algorithm) == nil {
            problems.append(algorithm.name.utf8, .notSupported("this digest algorithm"))
        }
        try problems.check()
    }
}

/// Without repetitions, in sorted elements.
func unique<Element: Equatable>(_ elements: [Element]) -> [Element] {
    elements.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
}
