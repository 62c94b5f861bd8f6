public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The directory where evidence goes, held open from before the command to the end: whatever the command does to
/// its path, evidence lands in the directory that was meant.
public final class EvidenceDirectory: Sendable {
    public let path: FilePath
    let descriptor: Int32

    /// Throws where the directory does not exist or cannot be opened.
    public init(_ path: FilePath) throws(StorageError) {
        self.path = path
        descriptor = path.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system(path, operation: "open", errno: Errno(rawValue: errno)) }
    }

    deinit { close(descriptor) }

    /// Makes room for one evidence file before the command starts, which shows that writing is possible.
    ///
    /// Throws `.alreadyExists` where `name` is there and `overwrite` is false, `.system` where nothing can be written.
    public func reserve(_ name: String, overwrite: Bool) throws(StorageError) -> PendingFile {
        let finalPath = path.appending(name)
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
            guard overwrite else { throw .alreadyExists(finalPath) }
            guard status.st_mode & S_IFMT != S_IFDIR else {
                throw .system(finalPath, operation: "replace", errno: .isDirectory)
            }
        }
        return try PendingFile(in: self, name: name)
    }

    /// Removes what a run that was killed has left: temporary files that nobody holds a lock on.
    public func removeAbandonedFiles() {
        guard let entries = opendir(".", at: descriptor) else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix(PendingFile.prefix), name.hasSuffix(PendingFile.suffix) else { continue }
            let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { unlinkat(descriptor, name, 0) }
            close(file)
        }
    }

    private func opendir(_ name: String, at directory: Int32) -> OpaquePointer? {
        let copy = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return nil }
        guard let entries = fdopendir(copy) else {
            close(copy)
            return nil
        }
        return entries
    }
}
