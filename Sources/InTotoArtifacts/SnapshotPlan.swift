import InTotoMetadata

/// What a snapshot would record, without reading any of it.
public struct SnapshotPlan: Sendable {
    public struct Entry: Hashable, Sendable {
        /// What it would be called in evidence; of what is excluded, its path.
        public internal(set) var name: [UInt8]
        public let path: [UInt8]
        /// Only excluded directories are listed themselves.
        public let isDirectory: Bool
        /// The reference that leads to it, as written.
        public let reference: [UInt8]
        /// The pattern that excludes it or takes it back; nil where none says anything of it.
        public let pattern: ExclusionPattern?

        init(path: [UInt8], isDirectory: Bool = false, reference: [UInt8], pattern: ExclusionPattern? = nil) {
            name = path
            self.path = path
            self.isDirectory = isDirectory
            self.reference = reference
            self.pattern = pattern
        }

        public var isExcluded: Bool { pattern.map { !$0.isNegated } ?? false }
    }

    /// Sorted by path, each path once.
    public var entries: [Entry] = []
    public var notRecorded: [NotRecorded] = []
    /// References to what is not there, as written, where that is no error.
    public var missing: [[UInt8]] = []
}

extension SnapshotPlan {
    /// Throws where a snapshot would find what these findings show. `whole` are artifacts that are no files.
    init(_ findings: Findings, whole: [Entry], _ options: SnapshotOptions) throws(SnapshotError) {
        var problems = findings.problems
        let prefixes = StrippedPrefixes(options)
        let files = Self.distinct(findings.planned).map { entry in
            var entry = entry
            if !entry.isExcluded { entry.name = Array(entry.path.dropFirst(prefixes.cut(of: entry.path))) }
            if entry.name.isEmpty { problems.append(entry.path, .nothingLeftOfName) }
            return entry
        }
        Self.checkNames(files, Self.distinct(whole), &problems)
        try problems.check()
        entries = (files + Self.distinct(whole)).sorted { $0.path.precedesBytewise($1.path) }
        notRecorded = unique(
            findings.notRecorded.sorted { $0.path.precedesBytewise($1.path) }.filter { entry in
                // What patterns hide is among the entries.
                if case .excluded = entry.reason { false } else { true }
            })
        missing = findings.missing
    }

    /// Sorted by path; of those that several references lead to, the first of them that records it, if one does.
    private static func distinct(_ entries: [Entry]) -> [Entry] {
        let sorted = entries.sorted { a, b in
            if a.path != b.path { return a.path.precedesBytewise(b.path) }
            if a.isExcluded != b.isExcluded { return b.isExcluded }
            return a.reference.precedesBytewise(b.reference)
        }
        return sorted.reduce(into: []) { if $0.last?.path != $1.path { $0.append($1) } }
    }

    private static func checkNames(_ files: [Entry], _ whole: [Entry], _ problems: inout ProblemList) {
        var paths: [[UInt8]: [UInt8]] = [:]
        for file in files where !file.isExcluded {
            if let other = paths.updateValue(file.path, forKey: file.name) {
                problems.append(file.path, .sameName(as: other))
            }
        }
        for entry in whole {
            guard let path = paths[entry.name] else { continue }
            problems.append(entry.reference, .sameName(as: path.first == slash ? path : Array("./".utf8) + path))
        }
    }
}
