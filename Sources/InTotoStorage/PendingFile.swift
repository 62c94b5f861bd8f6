public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// An evidence file that does not show until it is complete: a temporary file in the same directory, which gets its name
/// when its bytes are on disk. What is not put in its place is removed.
public final class PendingFile {
    /// Bytes set aside before the command starts, so that a full disk is noticed while nothing is lost yet.
    private static let reservedSize: off_t = 64 << 10
    /// No evidence has less; where files must be smaller than `reservedSize`, it may still be small enough.
    private static let leastSize: off_t = 512

    /// Held open from before the command on.
    public let directory: EvidenceDirectory
    private let name: String
    private let replaces: Bool
    private var file: TemporaryFile
    private var bytes: [UInt8] = []

    /// Where the file will be.
    public var path: FilePath { directory.path.appending(name) }

    /// What the temporary file is called in the directory.
    public var temporaryName: String { file.name }

    /// Device and inode of the temporary file: it is nobody's artifact.
    public var identity: (device: UInt64, inode: UInt64) {
        (UInt64(file.status.st_dev), UInt64(file.status.st_ino))
    }

    init(in directory: EvidenceDirectory, name: String, replaces: Bool) throws(StorageError) {
        self.directory = directory
        self.name = name
        self.replaces = replaces
        do { file = try TemporaryFile(in: directory, mode: 0o600) } catch {
            throw .system(directory.path, operation: "write to the directory", errno: error)
        }
        try reserve(max(Self.leastSize, min(Self.reservedSize, Self.sizeLimit)))
    }

    private static var sizeLimit: off_t {
        var limit = rlimit()
        #if canImport(Glibc)
            guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { return .max }
        #else
            guard getrlimit(RLIMIT_FSIZE, &limit) == 0 else { return .max }
        #endif
        return off_t(clamping: limit.rlim_cur)
    }

    /// Sets space aside; file systems that cannot are taken as they are.
    private func reserve(_ size: off_t) throws(StorageError) {
        #if os(Linux)
            let error = posix_fallocate(file.descriptor, 0, size)
            if error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO {
                throw .system(path, operation: "set space aside", errno: Errno(rawValue: error))
            }
        #endif
    }

    /// Writes exactly `bytes` to disk, still under the temporary name.
    public func prepare(_ bytes: [UInt8]) throws(StorageError) {
        self.bytes = bytes
        try renewIfTouched()
        try write()
    }

    /// Whatever the command has put in the temporary file's place, moved away or linked: evidence gets a new file then.
    @discardableResult
    private func renewIfTouched() throws(StorageError) -> Bool {
        do throws(Errno) {
            if try file.isUntouched() { return false }
            file = try TemporaryFile(in: directory, mode: 0o600)
            return true
        } catch { throw .system(path, operation: "write", errno: error) }
    }

    private func write() throws(StorageError) {
        let mask = umask(0o022)
        umask(mask)
        guard fchmod(file.descriptor, 0o644 & ~mask) == 0 else {
            throw .system(path, operation: "set the mode", errno: Errno(rawValue: errno))
        }
        var failure: Errno?
        bytes.withUnsafeBytes { bytes in
            do throws(Errno) { try file.write(bytes) } catch { failure = error }
        }
        if let failure { throw .system(path, operation: "write", errno: failure) }
    }

    /// Puts the prepared file in its place; when this returns, it survives a power failure.
    ///
    /// Throws `.alreadyExists` where a file has come there since `reserve`, unless files are replaced. A link, pipe or
    /// socket is no evidence: who planted it there cannot keep ours from its place. Throws `.replaced` where something else
    /// stands there by the end.
    public func place() throws(StorageError) {
        if try renewIfTouched() { try write() }
        try rename()
        try checkPlaced()
    }

    private func rename() throws(StorageError) {
        do throws(Errno) {
            if replaces { return try file.replace(name) }
            do throws(Errno) { try file.place(at: name) } catch .fileExists {
                guard try directory.type(of: name) != S_IFREG else { throw .fileExists }
                try file.replace(name)
            }
        } catch .fileExists {
            throw .alreadyExists(path)
        } catch { throw .system(path, operation: "put in place", errno: error) }
    }

    /// Between a look at a name and its renaming others may have been at work. A file system that numbers its files as it
    /// likes is asked for the bytes.
    private func checkPlaced() throws(StorageError) {
        let isSame: Bool
        do throws(Errno) { isSame = try file.isAlone(at: name) } catch {
            throw .system(path, operation: "read what was put in place", errno: error)
        }
        if isSame { return }
        let found = try BoundedReader.contents(of: name, in: directory.descriptor, shownAs: path, limit: bytes.count)
        guard found == bytes else { throw .replaced(path) }
    }

    /// Writes exactly `bytes`, and puts the file in its place.
    public func commit(_ bytes: [UInt8]) throws(StorageError) {
        try prepare(bytes)
        try place()
    }
}
