import InTotoMetadata
import SystemPackage

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Where a repository is, found as git finds it: from a directory upwards, but never out of what belongs together.
///
/// `core.worktree` is not looked at: the work tree is the directory that holds `.git`.
struct GitLocation: Sendable {
    /// The work tree; nil for a bare repository.
    let root: [UInt8]?
    let gitDirectory: [UInt8]
    /// Where objects, references and configuration are: another directory for a linked work tree only.
    let commonDirectory: [UInt8]

    var isLinked: Bool { gitDirectory != commonDirectory }

    /// The repository that `directory` is in. Stops, as git does, where another file system begins.
    static func find(from directory: [UInt8]) throws(GitError) -> GitLocation {
        guard let real = SystemCalls.realPath(FilePath(bytes: directory)) else { throw .noRepository }
        var here = real
        let device = status(here)?.identity.device
        while true {
            if let found = try location(at: here) { return found }
            guard here != [slash] else { throw .noRepository }
            here = parent(of: here)
            guard status(here)?.identity.device == device else { throw .noRepository }
        }
    }

    /// The repository whose work tree, or whose bare self, this directory is; nil where it is none.
    ///
    /// `directory` has to be absolute and without links.
    static func location(at directory: [UInt8]) throws(GitError) -> GitLocation? {
        let dotGit = PathBytes.join(directory, ".git".utf8)
        switch status(dotGit)?.kind {
        case .directory where looksLikeRepository(dotGit):
            return GitLocation(root: directory, gitDirectory: dotGit, commonDirectory: dotGit)
        case .regular: return try following(dotGit, of: directory)
        case .symbolicLink: throw .leadsOutside(path: dotGit, "is a symbolic link")
        default: break
        }
        return isBare(directory)
            ? GitLocation(root: nil, gitDirectory: directory, commonDirectory: directory) : nil
    }

    /// A directory that has something of a repository, broken as it may be.
    private static func looksLikeRepository(_ path: [UInt8]) -> Bool {
        ["HEAD", "objects", "refs"].contains { status(PathBytes.join(path, $0.utf8)) != nil }
    }

    private static func isBare(_ path: [UInt8]) -> Bool {
        status(PathBytes.join(path, "HEAD".utf8))?.kind == .regular
            && ["objects", "refs"].allSatisfy { status(PathBytes.join(path, $0.utf8))?.kind == .directory }
    }

    // MARK: A file that says where the repository is

    /// Followed only to a submodule's place in the repository around it, and to a linked work tree's that points back.
    private static func following(_ file: [UInt8], of root: [UInt8]) throws(GitError) -> GitLocation {
        let directory = try GitDirectory(root)
        let content = try directory.contents(of: ".git".utf8, limit: 1 << 16) ?? []
        guard content.starts(with: "gitdir: ".utf8) else { throw .broken(path: file, "names no git directory") }
        let target = content.dropFirst(8).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") && $0 != 0 }
        let path = target.first == slash ? Array(target) : PathBytes.join(root, target)
        guard let real = SystemCalls.realPath(FilePath(bytes: path)) else {
            throw .broken(path: file, "leads to nothing: '\(escapedForTerminal(target))'")
        }
        if let common = try linkedCommonDirectory(real, file) {
            return GitLocation(root: root, gitDirectory: real, commonDirectory: common)
        }
        if root != [slash], let around = try? find(from: parent(of: root)),
            PathBytes.isWithin(real, PathBytes.join(around.gitDirectory, "modules".utf8))
        {
            return GitLocation(root: root, gitDirectory: real, commonDirectory: real)
        }
        throw .leadsOutside(path: file, "leads to '\(escapedForTerminal(real))', which does not point back")
    }

    /// `…/worktrees/NAME`, where `gitdir` names our `.git` and `commondir` what is above.
    private static func linkedCommonDirectory(_ gitDirectory: [UInt8], _ file: [UInt8]) throws(GitError) -> [UInt8]? {
        let (above, _) = PathBytes.split(gitDirectory)
        let (common, name) = PathBytes.split(above)
        guard name.elementsEqual("worktrees".utf8) else { return nil }
        let directory = try GitDirectory(gitDirectory)
        guard let back = try directory.contents(of: "gitdir".utf8, limit: 1 << 16),
            SystemCalls.realPath(FilePath(bytes: absolute(back, from: gitDirectory))) == file,
            let above = try directory.contents(of: "commondir".utf8, limit: 1 << 16),
            SystemCalls.realPath(FilePath(bytes: absolute(above, from: gitDirectory))) == common
        else { return nil }
        return common
    }

    private static func absolute(_ line: [UInt8], from directory: [UInt8]) -> [UInt8] {
        let path = line.prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        return path.first == slash ? Array(path) : PathBytes.join(directory, path)
    }

    private static func parent(of path: [UInt8]) -> [UInt8] { PathBytes.split(path).directory }

    static func status(_ path: [UInt8]) -> FileStatus? { try? SystemCalls.status(path[...], in: AT_FDCWD) }
}

extension FilePath {
    /// The path with these bytes; what follows a NUL byte is not part of it.
    init(bytes: some Collection<UInt8>) {
        self = (Array(bytes.prefix { $0 != 0 }) + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
            }
        }
    }
}
