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
    /// Device and inode, which tell whether two paths lead to one directory.
    public let identity: (device: UInt64, inode: UInt64)
    let descriptor: Int32

    /// Throws where the directory does not exist or cannot be opened.
    public convenience init(_ path: FilePath) throws(StorageError) {
        do { try self.init(opening: path) } catch { throw .system(path, operation: "open", errno: error) }
    }

    /// The directory that `path` is in; throws as the other does.
    public convenience init(of path: FilePath) throws(StorageError) { try self.init(Self.parent(of: path)) }

    /// Makes room for the file at `path`; throws as `init` and the other `reserve` do.
    public static func reserve(_ path: FilePath, overwrite: Bool) throws(StorageError) -> PendingFile {
        try EvidenceDirectory(of: path).reserve(path.lastComponent?.string ?? "", overwrite: overwrite)
    }

    static func parent(of path: FilePath) -> FilePath {
        let parent = path.removingLastComponent()
        return parent.isEmpty ? "." : parent
    }

    init(opening path: FilePath) throws(Errno) {
        self.path = path
        descriptor = path.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = Errno(rawValue: errno)
            close(descriptor)
            throw error
        }
        identity = (UInt64(status.st_dev), UInt64(status.st_ino))
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

    /// When what has this name was last written to, since 1970; nil where there is nothing.
    public func modified(_ name: String) -> Duration? {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        #if canImport(Glibc)
            let time = status.st_mtim
        #else
            let time = status.st_mtimespec
        #endif
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// The names of what is in it, sorted.
    public func names() throws(StorageError) -> [[UInt8]] {
        guard let entries = openEntries() else { throw .system(path, operation: "list", errno: Errno(rawValue: errno)) }
        defer { closedir(entries) }
        var names: [[UInt8]] = []
        while let entry = readdir(entries) { names.append(Self.name(of: entry)) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func name(of entry: UnsafePointer<dirent>) -> [UInt8] {
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in Array(bytes.prefix { $0 != 0 }) }
    }

    public func isSame(as other: EvidenceDirectory) -> Bool { identity == other.identity }

    /// Removes a file that has served its purpose; durable when this returns.
    public func remove(_ name: String) throws(StorageError) {
        guard unlinkat(descriptor, name, 0) == 0, fsync(descriptor) == 0 else {
            throw .system(path.appending(name), operation: "remove", errno: Errno(rawValue: errno))
        }
    }

    /// Removes what a run that was killed has left: temporary files that nobody holds a lock on.
    public func removeAbandonedFiles() {
        guard let entries = openEntries() else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = String(decoding: Self.name(of: entry), as: UTF8.self)
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
