public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The directory where evidence or a key goes, held open from before the command to the end: whatever the command does to
/// its path, evidence lands in the directory that was meant.
public final class EvidenceDirectory: Sendable {
    public let path: FilePath
    let descriptor: Int32

    /// Throws where the directory does not exist or cannot be opened.
    public convenience init(_ path: FilePath) throws(StorageError) {
        do { try self.init(opening: path) } catch { throw .system(path, operation: "open", errno: error) }
    }

    init(opening path: FilePath) throws(Errno) {
        self.path = path
        descriptor = path.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }

    /// Makes room for one evidence file before the command starts, which shows that writing is possible.
    ///
    /// Throws `.alreadyExists` where `name` is there and `overwrite` is false, `.system` where nothing can be written.
    public func reserve(_ name: String, overwrite: Bool) throws(StorageError) -> PendingFile {
        let finalPath = path.appending(name)
        do throws(Errno) {
            let type = try type(of: name)
            guard overwrite else { throw .fileExists }
            guard type != S_IFDIR else { throw .isDirectory }
        } catch .noSuchFileOrDirectory {
        } catch .fileExists {
            throw .alreadyExists(finalPath)
        } catch { throw .system(finalPath, operation: "replace", errno: error) }
        return try PendingFile(in: self, name: name, replaces: overwrite)
    }

    /// The `S_IFMT` part of what has this name, links not followed.
    func type(of name: String) throws(Errno) -> mode_t {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw Errno(rawValue: errno) }
        return status.st_mode & S_IFMT
    }

    /// Removes what a run that was killed has left: temporary files that nobody holds a lock on.
    public func removeAbandonedFiles() {
        guard let entries = openEntries() else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard TemporaryFile.isOwnName(name) else { continue }
            let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { unlinkat(descriptor, name, 0) }
            close(file)
        }
    }

    /// A listing of its own, since reading one moves a position that copies of a descriptor share.
    private func openEntries() -> OpaquePointer? {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return nil }
        guard let entries = fdopendir(copy) else {
            close(copy)
            return nil
        }
        return entries
    }
}
