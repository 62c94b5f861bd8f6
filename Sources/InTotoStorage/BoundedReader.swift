public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Reads whole files of a bounded size.
public enum BoundedReader {
    /// Largest evidence file read, in bytes; a link naming 300,000 artifacts is about 140 MB.
    public static let evidenceLimit = 1 << 30

    /// Returns the file's bytes.
    ///
    /// Throws `.tooLarge` past `limit` bytes, whatever size the file system reports, and `.notRegularFile` for pipes
    /// and devices, which may never end.
    public static func contents(of path: FilePath, limit: Int = evidenceLimit) throws(StorageError) -> [UInt8] {
        let file = try openRegularFile(path)
        defer { close(file.descriptor) }
        guard file.size <= limit else { throw .tooLarge(path, limit: limit) }
        var bytes = [UInt8](repeating: 0, count: file.size + 1)
        var count = 0
        while true {
            let room = bytes.count - count
            let result = bytes.withUnsafeMutableBytes {
                read(file.descriptor, $0.baseAddress?.advanced(by: count), room)
            }
            if result < 0 && errno == EINTR { continue }
            guard result >= 0 else { throw .system(path, operation: "read", errno: Errno(rawValue: errno)) }
            if result == 0 { break }
            count += result
            guard count <= limit else { throw .tooLarge(path, limit: limit) }
            if count == bytes.count { bytes += [UInt8](repeating: 0, count: count) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    struct OpenFile {
        var descriptor: Int32
        var size: Int
        var status: stat
    }

    /// Opens without ever waiting for a writer, and refuses what is no regular file.
    static func openRegularFile(_ path: FilePath) throws(StorageError) -> OpenFile {
        let descriptor = path.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) }
        guard descriptor >= 0 else { throw .system(path, operation: "open", errno: Errno(rawValue: errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .notRegularFile(path)
        }
        return OpenFile(descriptor: descriptor, size: Int(status.st_size), status: status)
    }
}
