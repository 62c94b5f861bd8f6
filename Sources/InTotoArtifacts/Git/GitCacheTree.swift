/// The extension `TREE` of an index, in which git notes which trees its entries make up. Source: git,
/// `gitformat-index(5)`, "Cache tree".
enum GitCacheTree {
    /// The tree of all `count` entries of an index; nil where none is named, as after `git add`.
    ///
    /// The first node is that of the whole: an empty path, how many entries it has, how many nodes follow, and its id.
    static func root(of content: ArraySlice<UInt8>, count: Int) -> GitObjectID? {
        guard content.starts(with: Array("\0\(count) ".utf8)), let line = content.firstIndex(of: 0x0A),
            content.endIndex - line > 20
        else { return nil }
        return GitObjectID(raw: content[(line + 1)...(line + 20)])
    }
}
