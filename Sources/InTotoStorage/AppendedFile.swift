public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Adds whole lines to a file that others may add to at the same time.
public enum AppendedFile {
    /// Writes `bytes` behind what is there, after a line feed where that is missing; durable when this returns.
    ///
    /// Who adds at the same time waits. What could be written in part only is taken away again.
    public static func append(_ bytes: [UInt8], to path: FilePath) throws(StorageError) {
        let descriptor = path.withCString { open($0, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) }
        guard descriptor >= 0 else { throw .system(path, operation: "open", errno: Errno(rawValue: errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw .notRegularFile(path) }
        do throws(Errno) {
            try check(flock(descriptor, LOCK_EX))
            try check(fstat(descriptor, &status))
            try write(bytes, to: descriptor, at: status.st_size)
        } catch { throw .system(path, operation: "append", errno: error) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at end: off_t) throws(Errno) {
        var last: UInt8 = UInt8(ascii: "\n")
        if end > 0 { try check(pread(descriptor, &last, 1, end - 1)) }
        let text = last == UInt8(ascii: "\n") ? bytes : [UInt8(ascii: "\n")] + bytes
        do throws(Errno) {
            var offset = 0
            while offset < text.count {
                let count = text.withUnsafeBytes {
                    pwrite(descriptor, $0.baseAddress?.advanced(by: offset), text.count - offset, end + off_t(offset))
                }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw count < 0 ? Errno(rawValue: errno) : .ioError }
                offset += count
            }
            try check(fsync(descriptor))
        } catch {
            ftruncate(descriptor, end)
            throw error
        }
    }

    private static func check(_ result: some BinaryInteger) throws(Errno) {
        guard result >= 0 else { throw Errno(rawValue: errno) }
    }
}
