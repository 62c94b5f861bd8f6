private import CFileSystem
internal import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A new file under a passing name, locked while its run lives, so that nobody takes it for abandoned; removed unless it
/// was put in its place.
final class TemporaryFile {
    static let prefix = ".intoto-run."
    static let suffix = ".tmp"
    private static let randomDigits = 16

    let descriptor: Int32
    let status: stat
    let name: String
    private let directory: EvidenceDirectory
    private(set) var isPlaced = false

    /// Makes an empty file of `mode`, as far as the process's mask allows.
    init(in directory: EvidenceDirectory, mode: UInt16) throws(Errno) {
        self.directory = directory
        (name, descriptor, status) = try Self.create(in: directory.descriptor, mode)
    }

    deinit {
        if !isPlaced { unlinkat(directory.descriptor, name, 0) }
        close(descriptor)
    }

    /// Whether a file of this name may be one of ours: fixed prefix, 16 hexadecimal digits, fixed suffix.
    static func isOwnName(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
        let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
        return digits.count == randomDigits && digits.allSatisfy("0123456789abcdef".utf8.contains)
    }

    static func randomName() -> String {
        let digits = String(UInt64.random(in: 0...(.max)), radix: 16)
        return prefix + String(repeating: "0", count: randomDigits - digits.utf8.count) + digits + suffix
    }

    private static func create(in directory: Int32, _ mode: UInt16) throws(Errno) -> (String, Int32, stat) {
        for _ in 0..<100 {
            let name = randomName()
            let descriptor = openat(
                directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(mode))
            guard descriptor >= 0 else { throw Errno(rawValue: errno) }
            if let status = lock(descriptor) { return (name, descriptor, status) }
            unlinkat(directory, name, 0)
            close(descriptor)
        }
        throw .resourceTemporarilyUnavailable
    }

    /// The status of the file, once it is safe from other runs; nil where one that cleans up came between its creation
    /// and its lock. A file system without locks is fine: nothing is ever cleaned there.
    private static func lock(_ descriptor: Int32) -> stat? {
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else { return nil }
        return status
    }

    /// Whether it is what has this name in its directory, and has no other name anywhere.
    func isAlone(at name: String) throws(Errno) -> Bool {
        var found = stat()
        guard fstatat(directory.descriptor, name, &found, AT_SYMLINK_NOFOLLOW) == 0 else {
            let error = Errno(rawValue: errno)
            guard error == .noSuchFileOrDirectory else { throw error }
            return false
        }
        return found.st_dev == status.st_dev && found.st_ino == status.st_ino && found.st_nlink <= 1
    }

    /// Whether it still stands where it was made, and nobody else can reach it under another name.
    func isUntouched() throws(Errno) -> Bool { try isAlone(at: name) }

    /// Writes `bytes` from the start, whatever was there, and makes them durable.
    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var offset = 0
        while offset < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw count < 0 ? Errno(rawValue: errno) : .ioError }
            offset += count
        }
        try Self.check(ftruncate(descriptor, off_t(bytes.count)))
        try Self.check(fsync(descriptor))
    }

    /// Gives the file its name in the same directory, over whatever has it; durable when this returns.
    func replace(_ target: String) throws(Errno) {
        try Self.check(renameat(directory.descriptor, name, directory.descriptor, target))
        isPlaced = true
        try Self.check(fsync(directory.descriptor))
    }

    /// Gives the file its name in the same directory; durable when this returns.
    ///
    /// Throws `.fileExists` where something has the name.
    func place(at target: String) throws(Errno) {
        try renameToFreeName(target)
        isPlaced = true
        try Self.check(fsync(directory.descriptor))
    }

    private func renameToFreeName(_ target: String) throws(Errno) {
        if cfs_rename_to_free_name(directory.descriptor, name, target) == 0 { return }
        try Self.checkUnsupported()
        // A hard link fails where the name is taken, too.
        if linkat(directory.descriptor, name, directory.descriptor, target, 0) == 0 {
            unlinkat(directory.descriptor, name, 0)
            return
        }
        try Self.checkUnsupported()
        try renameInTurn(target)
    }

    /// For a file system that has neither: runs look and rename one after the other. A file made first to claim the name
    /// would be left without a byte where its run is killed.
    private func renameInTurn(_ target: String) throws(Errno) {
        try waitForTurn()
        defer { flock(directory.descriptor, LOCK_UN) }
        do throws(Errno) { _ = try directory.type(of: target) } catch .noSuchFileOrDirectory {
            return try Self.check(renameat(directory.descriptor, name, directory.descriptor, target))
        }
        throw .fileExists
    }

    /// Waits for a second at most: others hold the lock for two system calls. Without locks there are no turns.
    private func waitForTurn() throws(Errno) {
        for _ in 0..<100 {
            if flock(directory.descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
            usleep(10_000)
        }
        throw .resourceTemporarilyUnavailable
    }

    /// Throws what `errno` says, unless that is how file systems, kernels and sandboxes say that they have no such call.
    private static func checkUnsupported() throws(Errno) {
        let error = Errno(rawValue: errno)
        let isUnsupported = [Errno.invalidArgument, .noFunction, .notPermitted, .notSupported].contains(error)
        guard isUnsupported else { throw error }
    }

    private static func check(_ result: Int32) throws(Errno) {
        guard result >= 0 else { throw Errno(rawValue: errno) }
    }
}
