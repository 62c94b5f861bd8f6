public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A private key and its public half, which come together, and replace another pair together.
public struct KeyPairFiles {
    private let privatePath: FilePath
    private let publicPath: FilePath

    public init(privatePath: FilePath, publicPath: FilePath) {
        self.privatePath = privatePath
        self.publicPath = publicPath
    }

    /// Writes both, never over existing ones unless `replacing`; durable when this returns.
    ///
    /// Both are on disk before either shows. The private one goes first, and where the other cannot follow, it leaves
    /// its place again, to the key that was there: public keys can be had again, private ones not. Where the file system
    /// has no hard links, a replaced one does not come back. Throws `.alreadyExists` where something has a name.
    public func write(
        _ privateKey: UnsafeRawBufferPointer, _ publicKey: UnsafeRawBufferPointer, replacing: Bool
    ) throws(StorageError) {
        let first = try PreparedKeyFile(privatePath, privateKey, mode: 0o600)
        let second = try PreparedKeyFile(publicPath, publicKey, mode: 0o644)
        let wasThere = KeyFile.exists(privatePath)
        let former = replacing ? FormerFile(of: first) : nil
        do throws(StorageError) {
            try first.place(replacing: replacing)
            try second.place(replacing: replacing)
        } catch {
            guard first.isPlaced, !second.isPlaced else { throw error }
            if let former { try former.restore() } else if !wasThere { KeyFile.remove(privatePath) }
            throw error
        }
    }
}

/// A key file that is on disk and does not show yet.
struct PreparedKeyFile {
    let path: FilePath
    let directory: EvidenceDirectory
    private let file: TemporaryFile

    var name: String { path.lastComponent?.string ?? "" }
    var isPlaced: Bool { file.isPlaced }

    init(_ path: FilePath, _ bytes: UnsafeRawBufferPointer, mode: UInt16) throws(StorageError) {
        self.path = path
        do throws(Errno) {
            directory = try EvidenceDirectory(opening: EvidenceDirectory.parent(of: path))
            file = try TemporaryFile(in: directory, mode: mode)
            try file.write(bytes)
        } catch { throw .system(path, operation: "create", errno: error) }
    }

    /// Throws `.alreadyExists` where something of that name is there, unless `replacing`.
    func place(replacing: Bool) throws(StorageError) {
        do throws(Errno) {
            if replacing { try file.replace(name) } else { try file.place(at: name) }
        } catch .fileExists {
            throw .alreadyExists(path)
        } catch { throw .system(path, operation: "create", errno: error) }
    }
}

/// What a new file is about to replace, under a second name until the replacement is certain.
private final class FormerFile {
    private let path: FilePath
    private let directory: EvidenceDirectory
    private let name: String
    private let secondName = TemporaryFile.randomName()

    /// Nil where nothing is there that can have a second name.
    init?(of file: PreparedKeyFile) {
        (path, directory, name) = (file.path, file.directory, file.name)
        guard linkat(directory.descriptor, name, directory.descriptor, secondName, 0) == 0 else { return nil }
    }

    /// Gone already, once it was restored.
    deinit { unlinkat(directory.descriptor, secondName, 0) }

    func restore() throws(StorageError) {
        guard renameat(directory.descriptor, secondName, directory.descriptor, name) == 0,
            fsync(directory.descriptor) == 0
        else { throw .system(path, operation: "put the former key back", errno: Errno(rawValue: errno)) }
    }
}
