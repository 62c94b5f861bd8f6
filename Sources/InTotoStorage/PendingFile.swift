public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// An evidence file that does not show until it is complete: a temporary file in the same directory, locked while
/// its run lives, renamed when its bytes are on disk. What is not committed is removed.
public final class PendingFile {
    static let prefix = ".intoto-run."
    static let suffix = ".tmp"
    /// Bytes set aside before the command starts, so that a full disk is noticed while nothing is lost yet.
    private static let reservedSize: off_t = 64 << 10

    private let directory: EvidenceDirectory
    private let name: String
    private let temporaryName: String
    private let descriptor: Int32
    private var isCommitted = false

    /// Where the file will be.
    public var path: FilePath { directory.path.appending(name) }

    /// Device and inode of the temporary file: it is nobody's artifact.
    public let identity: (device: UInt64, inode: UInt64)

    init(in directory: EvidenceDirectory, name: String) throws(StorageError) {
        self.directory = directory
        self.name = name
        let random = (0..<4).map { _ in String(UInt16.random(in: 0...(.max)), radix: 16) }.joined()
        temporaryName = Self.prefix + random + Self.suffix
        descriptor = openat(
            directory.descriptor, temporaryName, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .system(directory.path, operation: "write to the directory", errno: Errno(rawValue: errno))
        }
        var status = stat()
        fstat(descriptor, &status)
        identity = (UInt64(status.st_dev), UInt64(status.st_ino))
        flock(descriptor, LOCK_EX | LOCK_NB)
        try reserve(Self.reservedSize)
    }

    deinit {
        if !isCommitted { unlinkat(directory.descriptor, temporaryName, 0) }
        close(descriptor)
    }

    /// Sets space aside; file systems that cannot are taken as they are.
    private func reserve(_ size: off_t) throws(StorageError) {
        #if os(Linux)
            let error = posix_fallocate(descriptor, 0, size)
            if error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO {
                throw .system(path, operation: "set space aside", errno: Errno(rawValue: error))
            }
        #endif
    }

    /// Puts the file in its place with exactly `bytes`; when this returns, it survives a power failure.
    public func commit(_ bytes: [UInt8]) throws(StorageError) {
        try write(bytes)
        try check(ftruncate(descriptor, off_t(bytes.count)), "set the length")
        let mask = umask(0o022)
        umask(mask)
        try check(fchmod(descriptor, 0o644 & ~mask), "set the mode")
        try check(fsync(descriptor), "make durable")
        try check(renameat(directory.descriptor, temporaryName, directory.descriptor, name), "put in place")
        isCommitted = true
        try check(fsync(directory.descriptor), "make the directory entry durable")
    }

    private func write(_ bytes: [UInt8]) throws(StorageError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress?.advanced(by: offset), bytes.count - offset, off_t(offset))
            }
            if count < 0 && errno == EINTR { continue }
            try check(Int32(min(count, 1)), "write")
            offset += count
        }
    }

    private func check(_ result: Int32, _ operation: String) throws(StorageError) {
        guard result >= 0 else { throw .system(path, operation: operation, errno: Errno(rawValue: errno)) }
    }
}
