/// What is cut from the front of paths to make names of them.
struct StrippedPrefixes {
    /// The longest first.
    private let prefixes: [[UInt8]]

    init(_ options: SnapshotOptions) {
        prefixes = options.stripPrefixes.compactMap { PathBytes.normalized($0[...]) }.filter { !$0.isEmpty }
            .sorted { $0.count > $1.count }
    }

    var isEmpty: Bool { prefixes.isEmpty }

    /// How many leading bytes of the path are not part of its name.
    func cut(of path: [UInt8]) -> Int {
        guard let prefix = prefixes.first(where: { PathBytes.isWithin(path, $0) }) else { return 0 }
        return min(prefix.count + 1, path.count)
    }
}
