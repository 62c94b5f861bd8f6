import InTotoMetadata

/// The artifacts of one kind as a person can take them in: all of a few, and of many their number, where most of them
/// are, and the first ones.
struct ArtifactListing {
    let title: String
    let artifacts: ArtifactSet
    /// What the artifacts are compared with; nil where that says nothing.
    var earlier: ArtifactSet?
    /// How many are named; nil: all.
    var limit: Int?

    /// Directories named where there are many artifacts.
    private static let shownDirectories = 5

    var lines: [String] {
        let shown = min(artifacts.count, limit ?? artifacts.count)
        var lines = ["\(title): \(artifacts.count)"]
        if shown < artifacts.count { lines += totals }
        for artifact in artifacts.prefix(shown) { lines.append("  \(artifact.name)  \(artifact.digests.summary)") }
        if shown < artifacts.count { lines.append("  … \(artifacts.count - shown) more (--all)") }
        return lines
    }

    private var totals: [String] {
        var lines: [String] = []
        if let earlier, !earlier.isEmpty { lines.append("  \(changes(since: earlier))") }
        let directories = directories
        guard directories.count > 1 else { return lines }
        lines += directories.prefix(Self.shownDirectories).map { "  \($0.count) in \($0.name.escaped)" }
        let others = directories.count - Self.shownDirectories
        if others > 0 { lines.append("  and \(others) more \(others == 1 ? "directory" : "directories")") }
        return lines
    }

    private func changes(since earlier: ArtifactSet) -> String {
        var (added, changed) = (0, 0)
        var there = earlier.startIndex
        for artifact in artifacts {
            while there < earlier.endIndex, earlier[there].name < artifact.name { there += 1 }
            guard there < earlier.endIndex, earlier[there].name == artifact.name else {
                added += 1
                continue
            }
            if earlier[there].digests.compare(with: artifact.digests) != .same { changed += 1 }
        }
        return "\(added) new, \(changed) changed, \(artifacts.count - added - changed) as in the materials"
    }

    /// Directories at the top by how many artifacts they hold, the fullest first; `./` stands for none.
    private var directories: [(name: Text, count: Int)] {
        var counts: [Text: Int] = [:]
        for artifact in artifacts {
            let name = artifact.name.text.utf8
            let slash = name.dropFirst().firstIndex(of: UInt8(ascii: "/"))
            counts[slash.map { Text(repairing: name[...$0]) } ?? "./", default: 0] += 1
        }
        return counts.map { (name: $0.key, count: $0.value) }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
}
