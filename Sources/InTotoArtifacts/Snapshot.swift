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
        let begun = SystemCalls.fileClock()
        report(.began)
        defer { report(.ended) }
        let files = references.filter { $0.scheme == .file }
        let findings = walk(files, options, WalkRules(options, .hash), report)
        if findings.isGivenUp { throw givenUp(references) }
        var assembler = RecordAssembler(options, Set(options.digests).sorted(), begun: begun)
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

    /// Checks before the command runs what will be asked for after it, as far as the command cannot be meant to put it
    /// right: products may be absent, unreadable, or links to nothing until then.
    public static func preflight(
        _ references: [ArtifactReference], options: SnapshotOptions = SnapshotOptions()
    ) throws(SnapshotError) {
        try check(options)
        var problems = ProblemList()
        for reference in references where reference.scheme == .git {
            do throws(GitError) {
                _ = try GitLibrary.functions()
                try GitArtifact(reference, options).preflight()
            } catch { problems.append(reference.source, .repository(error)) }
        }
        let relative = references.filter { !$0.isAbsolute && $0.scheme != .git }
        if !relative.isEmpty { problems.append(WalkStarts.problemsOutside(relative, options)) }
        try problems.check()
    }

    /// Lists what would be recorded, and what is excluded by which pattern. `dir:`, `tree:` and `git:` stand for themselves.
    ///
    /// Throws where a snapshot would, as far as that can be told without reading a file.
    public static func plan(
        _ references: [ArtifactReference], options: SnapshotOptions = SnapshotOptions()
    ) throws(SnapshotError) -> SnapshotPlan {
        try check(options)
        var findings = walk(references.filter { $0.scheme == .file }, options, WalkRules(options, .list)) { _ in }
        var whole: [SnapshotPlan.Entry] = []
        for reference in references where reference.scheme != .file {
            let (found, isThere) =
                reference.scheme == .git
                ? GitArtifact(reference, options).plan() : WholeDirectory(reference, options).plan()
            findings.append(found)
            if isThere { whole.append(.init(path: reference.wholeName, reference: reference.source)) }
        }
        return try SnapshotPlan(findings, whole: whole, options)
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
            for (index, filter) in starts.filters.enumerated() where !found.matchedFilters.contains(index) {
                found.miss(filter.source, because: .matchesNothing, isAllowed: options.allowsMissing)
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
