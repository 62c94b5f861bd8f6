public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Key files: read with care for who may change them, written so that nobody else may read them.
public enum KeyFile {
    /// Hands the bytes of a private key or passphrase file to `body`, and wipes them afterwards.
    ///
    /// Throws `.unsafeKeyFile` where somebody else could have put the key there, `.tooLarge` past `limit` bytes. Returns
    /// also whether others than the owner may read the file.
    public static func withSecret<Result>(
        at path: FilePath, limit: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> (result: Result, isReadableByOthers: Bool) {
        let file = try BoundedReader.openRegularFile(path)
        defer { close(file.descriptor) }
        try checkOwner(file.status, path)
        guard file.size <= limit else { throw StorageError.tooLarge(path, limit: limit) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit + 1, alignment: 16)
        defer {
            wipe(buffer)
            buffer.deallocate()
        }
        let count = try file.read(into: buffer).get()
        guard count <= limit else { throw StorageError.tooLarge(path, limit: limit) }
        let result = try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
        return (result, file.status.st_mode & 0o044 != 0)
    }

    private static func checkOwner(_ status: stat, _ path: FilePath) throws(StorageError) {
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw .unsafeKeyFile(path, reason: .foreignOwner(status.st_uid))
        }
        guard status.st_mode & 0o022 == 0 else {
            throw .unsafeKeyFile(path, reason: .writableByOthers)
        }
    }

    private static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        #if os(Linux)
            if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
        #else
            if let start = buffer.baseAddress { memset_s(start, buffer.count, 0, buffer.count) }
        #endif
    }

    /// Writes a new file with `mode`, never over an existing one unless `replacing`; durable when this returns.
    ///
    /// Throws `.alreadyExists` where something of that name is there.
    public static func create(
        _ path: FilePath, _ bytes: UnsafeRawBufferPointer, mode: UInt16, replacing: Bool
    ) throws(StorageError) {
        try PreparedKeyFile(path, bytes, mode: mode).place(replacing: replacing)
    }
}

extension KeyFile {
    /// Makes a directory for keys, readable by its owner alone, and those above it that are missing.
    public static func createDirectories(_ path: FilePath) throws(StorageError) {
        guard path.withCString({ mkdir($0, 0o700) }) != 0, errno != EEXIST else { return }
        let error = Errno(rawValue: errno)
        let parent = path.removingLastComponent()
        guard error == .noSuchFileOrDirectory, !parent.isEmpty, parent != path else {
            throw .system(path, operation: "create", errno: error)
        }
        try createDirectories(parent)
        guard path.withCString({ mkdir($0, 0o700) }) == 0 || errno == EEXIST else {
            throw .system(path, operation: "create", errno: Errno(rawValue: errno))
        }
    }

    /// Takes away what was just put there.
    public static func remove(_ path: FilePath) { _ = path.withCString { unlink($0) } }

    /// Whether something of this name is there, if only a link to nothing.
    public static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0
    }
}
