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
    /// Throws `.unsafeKeyFile` where somebody else could have put the key there, `.tooLarge` past 64 KiB. Returns
    /// also whether others than the owner may read the file.
    public static func withSecret<Result>(
        at path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> (result: Result, isReadableByOthers: Bool) {
        let file = try BoundedReader.openRegularFile(path)
        defer { close(file.descriptor) }
        try checkOwner(file.status, path)
        guard file.size <= BoundedReader.keyLimit else {
            throw StorageError.tooLarge(path, limit: BoundedReader.keyLimit)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BoundedReader.keyLimit + 1, alignment: 16)
        defer {
            wipe(buffer)
            buffer.deallocate()
        }
        var count = 0
        while count < buffer.count {
            let result = read(file.descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            if result < 0 && errno == EINTR { continue }
            guard result >= 0 else {
                throw StorageError.system(path, operation: "read", errno: Errno(rawValue: errno))
            }
            if result == 0 { break }
            count += result
        }
        guard count <= BoundedReader.keyLimit else { throw StorageError.tooLarge(path, limit: BoundedReader.keyLimit) }
        let result = try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
        return (result, file.status.st_mode & 0o044 != 0)
    }

    private static func checkOwner(_ status: stat, _ path: FilePath) throws(StorageError) {
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw .unsafeKeyFile(path, reason: "belongs to user \(status.st_uid), who could have put another key there")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw .unsafeKeyFile(path, reason: "may be written by others, who could have put another key there")
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
        let temporary = FilePath(path.string + ".\(UInt64.random(in: 0...(.max))).tmp")
        let descriptor = temporary.withCString {
            open($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(mode))
        }
        guard descriptor >= 0 else { throw .system(path, operation: "create", errno: Errno(rawValue: errno)) }
        defer { close(descriptor) }
        do {
            try writeAll(bytes, to: descriptor, path)
            try place(temporary, at: path, replacing: replacing)
        } catch {
            _ = temporary.withCString { unlink($0) }
            throw error
        }
        try syncDirectory(of: path)
    }

    private static func writeAll(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: FilePath
    ) throws(StorageError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(path, operation: "write", errno: Errno(rawValue: errno)) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else {
            throw .system(path, operation: "make durable", errno: Errno(rawValue: errno))
        }
    }

    /// A hard link fails where the name is taken, which a rename does not.
    private static func place(_ temporary: FilePath, at path: FilePath, replacing: Bool) throws(StorageError) {
        let result = temporary.withCString { from in
            path.withCString { to in
                replacing ? rename(from, to) : link(from, to)
            }
        }
        guard result == 0 else {
            if errno == EEXIST { throw .alreadyExists(path) }
            throw .system(path, operation: "create", errno: Errno(rawValue: errno))
        }
        if !replacing { _ = temporary.withCString { unlink($0) } }
    }

    private static func syncDirectory(of path: FilePath) throws(StorageError) {
        let directory = path.removingLastComponent()
        let name = directory.isEmpty ? "." : directory
        let descriptor = name.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system(name, operation: "open", errno: Errno(rawValue: errno)) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw .system(name, operation: "make durable", errno: Errno(rawValue: errno))
        }
    }
}

extension KeyFile {
    /// Takes away what `create` has just put there.
    public static func remove(_ path: FilePath) { _ = path.withCString { unlink($0) } }

    /// Whether something of this name is there, if only a link to nothing.
    public static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0
    }
}
