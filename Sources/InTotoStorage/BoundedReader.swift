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
        try contents(of: try openRegularFile(path), limit: limit)
    }

    /// The same for a name in an open directory; a link in its place is refused.
    static func contents(
        of name: String, in directory: Int32, shownAs path: FilePath, limit: Int
    ) throws(StorageError) -> [UInt8] {
        let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW
        return try contents(of: try regularFile(path, openat(directory, name, flags)), limit: limit)
    }

    private static func contents(of file: OpenFile, limit: Int) throws(StorageError) -> [UInt8] {
        let path = file.path
        defer { close(file.descriptor) }
        guard file.size <= limit else { throw .tooLarge(path, limit: limit) }
        var bytes = [UInt8](repeating: 0, count: file.size + 1)
        var count = 0
        while true {
            let result = bytes.withUnsafeMutableBytes {
                file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
            }
            count += try result.get()
            guard count <= limit else { throw .tooLarge(path, limit: limit) }
            // Filled less than there was room for: that was the end.
            guard count == bytes.count else { break }
            bytes += [UInt8](repeating: 0, count: count)
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    struct OpenFile {
        let path: FilePath
        var descriptor: Int32
        var size: Int
        var status: stat

        /// Reads until `buffer` is full or the file ends; how many bytes that was.
        func read(into buffer: UnsafeMutableRawBufferPointer) -> Result<Int, StorageError> {
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = systemRead(descriptor, UnsafeMutableRawBufferPointer(rebasing: rest))
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else {
                    return .failure(.system(path, operation: "read", errno: Errno(rawValue: errno)))
                }
                if count == 0 { break }
                rest = rest.dropFirst(count)
            }
            return .success(buffer.count - rest.count)
        }
    }

    /// Opens without ever waiting for a writer, and refuses what is no regular file.
    static func openRegularFile(_ path: FilePath) throws(StorageError) -> OpenFile {
        try regularFile(path, path.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) })
    }

    private static func regularFile(_ path: FilePath, _ descriptor: Int32) throws(StorageError) -> OpenFile {
        guard descriptor >= 0 else { throw .system(path, operation: "open", errno: Errno(rawValue: errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .notRegularFile(path)
        }
        return OpenFile(path: path, descriptor: descriptor, size: max(0, Int(status.st_size)), status: status)
    }
}

/// The system's `read`, which a method of the same name hides.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
