import SystemPackage

/// A directory that a walk does not leave.
final class WalkRoot: Sendable {
    let descriptor: Descriptor
    /// Its real path, so that absolute links into it can be followed.
    let absolutePath: [UInt8]?
    /// How many leading bytes of recorded names exclusion patterns and globs do not see.
    let matchOffset: Int

    init(_ path: FilePath, matchOffset: Int) throws(SystemError) {
        descriptor = try SystemCalls.openDirectory(path)
        absolutePath = SystemCalls.realPath(path)
        self.matchOffset = matchOffset
    }
}
