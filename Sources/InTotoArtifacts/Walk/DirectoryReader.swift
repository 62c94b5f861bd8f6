#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Lists one open directory, entry by entry.
struct DirectoryReader: ~Copyable {
    private let stream: OpaquePointer

    /// Opens the directory again, so that listing disturbs no other reader.
    init(_ directory: Int32) throws(SystemError) { try self.init(listing: SystemCalls.openForListing(directory)) }

    /// Takes a directory that was opened to be listed, and by nobody else.
    init(listing descriptor: consuming Descriptor) throws(SystemError) {
        let number = descriptor.handOver()
        guard let stream = fdopendir(number) else {
            let error = SystemError("open")
            close(number)
            throw error
        }
        self.stream = stream
        self.number = number
    }

    /// The directory, to look things up in while this is there.
    let number: Int32

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
