import InTotoMetadata

/// What the user names as artifacts: a path or glob, `file:PATH` (the same; names in evidence carry no `file:`),
/// `dir:PATH`, `tree:PATH` or `git:PATH[@REV]`.
///
/// `./` before a path that looks like one of these makes it a plain path.
public struct ArtifactReference: Hashable, Sendable {
    public enum Scheme: String, Hashable, Sendable, CaseIterable {
        /// The file, or each file below the directory.
        case file
        /// The directory as one artifact, by `dirHash`.
        case dir
        /// The directory as one artifact, by `gitTree`.
        case tree
        /// A commit of the repository that is there.
        case git
    }

    public let scheme: Scheme
    /// As written.
    public let source: [UInt8]
    /// Without scheme, `.`, `..`, and needless slashes; empty for the base path itself.
    public let path: [UInt8]
    public let isAbsolute: Bool
    /// Of `git:`: a branch, tag, full reference name or full object id; nil for HEAD.
    public let revision: [UInt8]?

    /// Throws for a relative path that leaves the base path, an empty one, and what is not supported.
    public init(parsing bytes: some Collection<UInt8>) throws(SnapshotError) {
        source = Array(bytes)
        let (scheme, place) = Self.split(source)
        let (rest, revision) = scheme == .git ? Self.splitRevision(place) : (place, nil)
        self.scheme = scheme
        isAbsolute = rest.first == slash
        if rest.isEmpty { throw Self.error(source, .doesNotExist) }
        if place.contains(0) { throw Self.error(source, .failed("contains a NUL byte")) }
        guard let normalized = PathBytes.normalized(rest) else { throw Self.error(source, .leavesBase) }
        path = normalized
        self.revision = revision
    }

    /// Where the path may be a pattern.
    var hasGlobCharacters: Bool {
        scheme == .file && path.contains { $0 == star || $0 == question || $0 == openBracket }
    }

    /// What it is called where it is one path.
    var name: [UInt8] { scheme == .file ? path : wholeName }

    /// What an artifact made of the whole reference is called.
    var wholeName: [UInt8] {
        let place = path.isEmpty ? [UInt8(ascii: ".")] : path
        // A commit is what its digests are called, and stands under the plain name.
        if scheme == .git { return place + (revision.map { [UInt8(ascii: "@")] + $0 } ?? []) }
        return Array("\(scheme.rawValue):".utf8) + place
    }

    /// At the first `@` that does not begin a component, as that of `@scope/package` does.
    private static func splitRevision(_ place: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, [UInt8]?) {
        let at = place.indices.first {
            place[$0] == UInt8(ascii: "@") && $0 > place.startIndex && place[$0 - 1] != slash
        }
        guard let at else { return (place, nil) }
        return (place[..<at], Array(place[(at + 1)...]))
    }

    private static func split(_ source: [UInt8]) -> (Scheme, ArraySlice<UInt8>) {
        if let colon = source.firstIndex(of: UInt8(ascii: ":")) {
            let word = source[..<colon]
            for scheme in Scheme.allCases where word.elementsEqual(scheme.rawValue.utf8) {
                return (scheme, source[(colon + 1)...])
            }
        }
        return (.file, source[...])
    }

    private static func error(_ path: [UInt8], _ reason: SnapshotProblem.Reason) -> SnapshotError {
        SnapshotError(problems: [SnapshotProblem(path: path, reason: reason)], count: 1)
    }
}

/// Paths as bytes, taken apart and put together.
enum PathBytes {
    /// Without empty, `.` and `..` components, read without looking at the disk; a leading slash stays. Nil where
    /// `..` leads above a relative path's beginning.
    static func normalized(_ path: ArraySlice<UInt8>) -> [UInt8]? {
        let isAbsolute = path.first == slash
        var parts: [ArraySlice<UInt8>] = []
        for part in path.split(separator: slash) where !part.elementsEqual(".".utf8) {
            if !part.elementsEqual("..".utf8) {
                parts.append(part)
            } else if parts.popLast() == nil, !isAbsolute {
                return nil
            }
        }
        return (isAbsolute ? [slash] : []) + parts.joined(separator: [slash])
    }

    static func join(_ directory: [UInt8], _ name: some Collection<UInt8>) -> [UInt8] {
        if directory.isEmpty { return Array(name) }
        if name.isEmpty { return directory }
        return directory + (directory.last == slash ? [] : [slash]) + name
    }

    /// The directory part and the last component: ("a/b", "c"), ("", "c"), ("/", "c").
    static func split(_ path: [UInt8]) -> (directory: [UInt8], name: ArraySlice<UInt8>) {
        guard let last = path.lastIndex(of: slash) else { return ([], path[...]) }
        return (last == 0 ? [slash] : Array(path[..<last]), path[(last + 1)...])
    }

    /// Whether `path` is `directory` or below it; "" is above everything relative.
    static func isWithin(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        if directory.isEmpty { return true }
        return path.starts(with: directory) && (path.count == directory.count || path[directory.count] == slash)
    }
}
