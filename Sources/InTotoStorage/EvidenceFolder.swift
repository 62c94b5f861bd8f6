public import InTotoMetadata
public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A directory with evidence that others wrote: listed once, its files opened beneath it and by exact names.
public final class EvidenceFolder: Sendable {
    public let path: FilePath
    /// Names of what is not hidden, in byte order. Those that are not UTF-8 are no names of evidence.
    public let names: [Text]
    public let identity: DirectoryIdentity
    private let descriptor: Int32

    /// Most names of one folder.
    public static let entryLimit = 1_000_000

    /// `beneath`: the path is a name that others chose, and a link in its place is refused. Throws where there are more
    /// names than `limit`, or where not all of them can be read.
    public init(_ path: FilePath, beneath: Bool = false, limit: Int = entryLimit) throws(StorageError) {
        self.path = path
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (beneath ? O_NOFOLLOW : 0)
        descriptor = path.withCString { open($0, flags) }
        guard descriptor >= 0 else { throw .system(path, operation: "open", errno: Errno(rawValue: errno)) }
        do throws(StorageError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else {
                throw .system(path, operation: "look at", errno: Errno(rawValue: errno))
            }
            identity = DirectoryIdentity(status)
            names = try Self.list(descriptor, path, limit)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// The bytes of a file, which must be a regular one and no link to one; never waits for anybody.
    public func contents(of name: Text, limit: Int = BoundedReader.evidenceLimit) throws(StorageError) -> [UInt8] {
        try BoundedReader.contents(of: name.description, in: descriptor, shownAs: path(of: name), limit: limit)
    }

    public func path(of name: Text) -> FilePath {
        path == "." ? FilePath(name.description) : path.appending(name.description)
    }

    private static func list(
        _ descriptor: Int32, _ path: FilePath, _ limit: Int
    ) throws(StorageError) -> [Text] {
        func failure() -> StorageError { .system(path, operation: "list", errno: Errno(rawValue: errno)) }
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw failure() }
        guard let entries = fdopendir(copy) else {
            let failure = failure()
            close(copy)
            throw failure
        }
        defer { closedir(entries) }
        var names: [Text] = []
        while true {
            errno = 0
            guard let entry = readdir(entries) else {
                guard errno == 0 else { throw failure() }
                return names.sorted()
            }
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { bytes in Array(bytes.prefix { $0 != 0 }) }
            guard bytes.first != UInt8(ascii: "."), let name = Text(validating: bytes) else { continue }
            guard names.count < limit else { throw .tooManyEntries(path, limit: limit) }
            names.append(name)
        }
    }
}
