import SystemPackage

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// A directory of a repository, read file by file: never through a link, never blocking on a pipe.
struct GitDirectory: ~Copyable {
    /// Absolute, without links.
    let path: [UInt8]
    let descriptor: Descriptor

    init(_ path: [UInt8]) throws(GitError) {
        self.path = path
        do throws(SystemError) { descriptor = try SystemCalls.openDirectory(path[...], in: AT_FDCWD) } catch {
            throw .broken(path: path, "cannot be opened: \(error.code)")
        }
    }

    /// The bytes of a regular file below; nil where there is none.
    func contents(of name: some Collection<UInt8>, limit: Int) throws(GitError) -> [UInt8]? {
        let parts = Array(name).split(separator: slash)
        guard let last = parts.last else { return nil }
        return try contents(last, parts.dropLast(), in: descriptor.number, name: Array(name), limit)
    }

    private func contents(
        _ last: ArraySlice<UInt8>, _ parents: ArraySlice<ArraySlice<UInt8>>, in directory: Int32, name: [UInt8],
        _ limit: Int
    ) throws(GitError) -> [UInt8]? {
        guard let first = parents.first else {
            return try Self.contents(of: last, in: directory, path: PathBytes.join(path, name), limit)
        }
        let next: Descriptor
        do throws(SystemError) { next = try SystemCalls.openDirectory(first, in: directory) } catch {
            return try Self.absent(error, PathBytes.join(path, name))
        }
        return try contents(last, parents.dropFirst(), in: next.number, name: name, limit)
    }

    /// The bytes of a regular file in an open directory; nil where there is none.
    static func contents(
        of name: ArraySlice<UInt8>, in directory: Int32, path: [UInt8], _ limit: Int
    ) throws(GitError) -> [UInt8]? {
        try file(name, in: directory, path: path, limit)?.bytes
    }

    /// The bytes of a regular file right here, and the status that it had then; nil where there is none.
    func file(
        _ name: some Collection<UInt8>, limit: Int
    ) throws(GitError) -> (bytes: [UInt8], status: FileStatus)? {
        try Self.file(Array(name)[...], in: descriptor.number, path: PathBytes.join(path, name), limit)
    }

    private static func file(
        _ name: ArraySlice<UInt8>, in directory: Int32, path: [UInt8], _ limit: Int
    ) throws(GitError) -> (bytes: [UInt8], status: FileStatus)? {
        do {
            let file = try SystemCalls.openFile(name, in: directory)
            let status = try SystemCalls.status(file.number)
            if status.kind == .directory { return nil }
            guard status.kind == .regular else { throw GitError.broken(path: path, "is not a regular file") }
            guard status.size <= limit else { throw GitError.broken(path: path, "is larger than \(limit) bytes") }
            return (try SystemCalls.prefix(of: file.number, length: Int(status.size)), status)
        } catch let error as SystemError {
            return try absent(error, path)
        } catch { throw error as? GitError ?? .broken(path: path, "\(error)") }
    }

    /// Nil for what is not there; throws for what cannot be read.
    private static func absent<T>(_ error: SystemError, _ path: [UInt8]) throws(GitError) -> T? {
        switch error.code {
        case .noSuchFileOrDirectory, .isDirectory: return nil
        case .tooManySymbolicLinkLevels, .notDirectory:
            throw .leadsOutside(path: path, "is or is beyond a symbolic link, or is no directory")
        default: throw .broken(path: path, "cannot be read: \(error.code)")
        }
    }

    /// The status of an entry; nil where there is none.
    func status(_ name: [UInt8]) -> FileStatus? { try? SystemCalls.status(name[...], in: descriptor.number) }
}
