#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Lists one open directory, entry by entry.
struct DirectoryReader: ~Copyable {
    private let stream: OpaquePointer

    /// Opens the directory again, so that listing disturbs no other reader.
    init(_ directory: Int32) throws(SystemError) {
        let descriptor = try SystemCalls.openForListing(directory)
        // The stream closes its descriptor, which has an owner already: it gets one of its own.
        let copy = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw SystemError("open") }
        guard let stream = fdopendir(copy) else {
            let error = SystemError("open")
            close(copy)
            throw error
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// The next entry, `.` and `..` left out; nil at the end. The kind is nil where only a status call can tell.
    mutating func next() throws(SystemError) -> (name: [UInt8], kind: FileStatus.Kind?)? {
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno == 0 { return nil }
                throw SystemError("list")
            }
            let name = Self.name(of: entry)
            if name.first == dot, name.count == 1 || name.count == 2 && name[1] == dot { continue }
            return (name, Self.kind(entry.pointer(to: \.d_type)?.pointee ?? 0))
        }
    }

    /// Through a pointer into the entry: the buffer may end before a whole `dirent` does.
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        guard let name = entry.pointer(to: \.d_name) else { return [] }
        let bytes = UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self)
        return Array(
            UnsafeBufferPointer(start: bytes, count: strlen(UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self)))
        )
    }

    private static func kind(_ type: UInt8) -> FileStatus.Kind? {
        switch Int(type) {
        case Int(DT_REG): .regular
        case Int(DT_DIR): .directory
        case Int(DT_LNK): .symbolicLink
        case Int(DT_FIFO): .fifo
        case Int(DT_SOCK): .socket
        case Int(DT_CHR), Int(DT_BLK): .device
        default: nil
        }
    }
}

private let dot = UInt8(ascii: ".")
