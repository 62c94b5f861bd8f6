private import CFileSystem
import SystemPackage

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// The system calls of a snapshot: relative to open directories, never through a link, never blocking on a pipe.
enum SystemCalls {
    /// Opens what the user named, wherever links lead.
    static func openDirectory(_ path: FilePath) throws(SystemError) -> Descriptor {
        let number = path.withPlatformString { open($0, lookupOnly | O_DIRECTORY | O_CLOEXEC) }
        return try descriptor(number, "open")
    }

    /// A directory to look things up in; needs no permission to list it.
    static func openDirectory(_ name: ArraySlice<UInt8>, in directory: Int32) throws(SystemError) -> Descriptor {
        try openAt(directory, name, lookupOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }

    /// A directory to list, and to look things up in.
    static func openForListing(_ name: ArraySlice<UInt8>, in directory: Int32) throws(SystemError) -> Descriptor {
        try openAt(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }

    /// A directory to list, opened anew so that its position is nobody else's.
    static func openForListing(_ directory: Int32) throws(SystemError) -> Descriptor {
        try openForListing([UInt8(ascii: ".")], in: directory)
    }

    /// A file's content. Whether it is a regular file is known only from the status of what was opened.
    static func openFile(_ name: ArraySlice<UInt8>, in directory: Int32) throws(SystemError) -> Descriptor {
        try openAt(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }

    static func status(_ descriptor: Int32) throws(SystemError) -> FileStatus {
        var buffer = stat()
        guard fstat(descriptor, &buffer) == 0 else { throw SystemError("read the status") }
        return FileStatus(buffer)
    }

    /// The status of an entry itself, a link's own where it is one.
    static func status(_ name: ArraySlice<UInt8>, in directory: Int32) throws(SystemError) -> FileStatus {
        var buffer = stat()
        let result = withCString(name) { fstatat(directory, $0, &buffer, AT_SYMLINK_NOFOLLOW) }
        guard result == 0 else { throw SystemError("read the status") }
        return FileStatus(buffer)
    }

    static func linkTarget(_ name: ArraySlice<UInt8>, in directory: Int32) throws(SystemError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 65_536)
        let length = withCString(name) { readlinkat(directory, $0, &buffer, buffer.count) }
        guard length >= 0 else { throw SystemError("read the link") }
        return buffer[..<length].map { UInt8(bitPattern: $0) }
    }

    /// Reads at `offset`; 0 at the end.
    static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(SystemError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else { throw SystemError("read") }
        }
    }

    /// The first bytes of a file.
    static func prefix(of descriptor: Int32, length: Int) throws(SystemError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 16)
        defer { buffer.deallocate() }
        var count = 0
        while count < length {
            let read = try read(descriptor, into: .init(rebasing: buffer[count...]), at: Int64(count))
            if read == 0 { break }
            count += read
        }
        return Array(buffer[..<count])
    }

    /// Whether another open file has the lock of `flock`; if not, this one has a share of it until it is closed. A file
    /// system without locks says no.
    static func isLockedByOthers(_ descriptor: Int32) -> Bool {
        flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// The clock that file systems take a file's times from, which lags behind the others by up to a tick.
    static func fileClock() -> FileStatus.Timestamp {
        var time = timespec()
        #if canImport(Glibc)
            clock_gettime(CLOCK_REALTIME_COARSE, &time)
        #else
            clock_gettime(CLOCK_REALTIME, &time)
        #endif
        return FileStatus.Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    static func pause(milliseconds: UInt32) { usleep(milliseconds * 1_000) }

    /// Where a path leads, with every link resolved; nil where nobody can say.
    static func realPath(_ path: FilePath) -> [UInt8]? { try? resolvedPath(path) }

    /// Where a path leads, with every link resolved.
    static func resolvedPath(_ path: FilePath) throws(SystemError) -> [UInt8] {
        guard let resolved = path.withPlatformString({ realpath($0, nil) }) else { throw SystemError("resolve") }
        defer { free(resolved) }
        return UnsafeBufferPointer(start: resolved, count: strlen(resolved)).map { UInt8(bitPattern: $0) }
    }

    /// Below, at or above zero as `a` is before, equal to or after `b` in byte order.
    static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let common = min(a.count, b.count)
        if common > 0, let first = a.baseAddress, let second = b.baseAddress {
            let order = memcmp(first, second, common)
            if order != 0 { return Int(order) }
        }
        return a.count - b.count
    }

    /// Where the bytes of `pattern` stand first in `bytes`, from `start` on; nil where they do not. In linear time.
    static func firstRange(of pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Range<Int>? {
        bytes.withUnsafeBytes { bytes in
            pattern.withUnsafeBytes { pattern in
                guard start < bytes.count, let all = bytes.baseAddress, let sought = pattern.baseAddress,
                    let found = cfs_find(all + start, bytes.count - start, sought, pattern.count)
                else { return nil }
                let place = all.distance(to: found)
                return place..<place + pattern.count
            }
        }
    }

    static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// How many descriptors this process may still open; no more than `most` are looked at.
    static func availableDescriptors(most: Int) -> Int {
        // Looking at each costs a call; under a generous limit there is no need to.
        guard descriptorLimit < 4 * most else { return most }
        let limit = Int32(min(descriptorLimit, most))
        return (0..<limit).count { fcntl($0, F_GETFD) < 0 }
    }

    private static var descriptorLimit: Int {
        var limit = rlimit()
        #if canImport(Glibc)
            let result = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
            let result = getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        return result == 0 ? Int(clamping: limit.rlim_cur) : 64
    }

    private static func openAt(
        _ directory: Int32, _ name: ArraySlice<UInt8>, _ flags: Int32
    ) throws(SystemError) -> Descriptor {
        while true {
            let number = withCString(name) { openat(directory, $0, flags) }
            if number >= 0 || errno != EINTR { return try descriptor(number, "open") }
        }
    }

    private static func descriptor(_ number: Int32, _ operation: StaticString) throws(SystemError) -> Descriptor {
        guard number >= 0 else { throw SystemError(operation) }
        return Descriptor(number: number)
    }

    private static func withCString<R>(_ name: ArraySlice<UInt8>, _ body: (UnsafePointer<CChar>) -> R) -> R {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { buffer in
            var end = 0
            for byte in name {
                buffer[end] = CChar(bitPattern: byte)
                end += 1
            }
            buffer[end] = 0
            return buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { body($0) } ?? "".withCString(body)
            }
        }
    }

    #if canImport(Glibc)
        /// `O_PATH`, a macro of a macro that Swift does not import.
        private static let lookupOnly: Int32 = 0o10000000
    #else
        private static let lookupOnly = O_SEARCH
    #endif
}

/// A file descriptor with one owner.
struct Descriptor: ~Copyable {
    let number: Int32

    deinit { close(number) }

    /// Gives it to another owner, who closes it.
    consuming func handOver() -> Int32 {
        let number = number
        discard self
        return number
    }
}

/// A system call failed.
struct SystemError: Error {
    let operation: StaticString
    let code: Errno

    /// Takes the reason from `errno`.
    init(_ operation: StaticString) {
        self.operation = operation
        code = Errno(rawValue: errno)
    }

    /// Nothing is there.
    var isAbsence: Bool { code == .noSuchFileOrDirectory || code == .notDirectory }
}

extension FileStatus {
    fileprivate init(_ status: stat) {
        #if canImport(Glibc)
            let (modified, changed) = (status.st_mtim, status.st_ctim)
        #else
            let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
        #endif
        self.init(
            kind: Kind(mode: status.st_mode),
            identity: FileIdentity(
                device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino)
            ),
            size: max(0, Int64(status.st_size)),
            modified: Timestamp(seconds: Int64(modified.tv_sec), nanoseconds: Int64(modified.tv_nsec)),
            changed: Timestamp(seconds: Int64(changed.tv_sec), nanoseconds: Int64(changed.tv_nsec)),
            isExecutable: status.st_mode & S_IXUSR != 0
        )
    }
}

extension FileStatus.Kind {
    fileprivate init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symbolicLink
        case S_IFIFO: self = .fifo
        case S_IFSOCK: self = .socket
        default: self = .device
        }
    }
}
