internal import InTotoMetadata
public import SystemPackage

/// Why a metadata or key file could not be read or written.
public enum StorageError: Error, Hashable {
    /// `operation` reads after "cannot".
    case system(FilePath, operation: String, errno: Errno)
    case tooLarge(FilePath, limit: Int)
    case notRegularFile(FilePath)
    case tooManyEntries(FilePath, limit: Int)
    case alreadyExists(FilePath)
    /// Something else stands where a file has just been put.
    case replaced(FilePath)
    /// Somebody else than us or root owns it, or others may write to it.
    case unsafeKeyFile(FilePath, reason: UnsafeKeyReason)
}

/// How somebody else could have put another key there.
public enum UnsafeKeyReason: Hashable, Sendable {
    case foreignOwner(UInt32)
    case writableByOthers
}

extension StorageError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let path, let operation, let errno): "\(shown(path)): cannot \(operation): \(errno.description)"
        case .tooLarge(let path, let limit): "\(shown(path)): larger than \(limit) bytes"
        case .notRegularFile(let path): "\(shown(path)): is not a regular file"
        case .tooManyEntries(let path, let limit): "\(shown(path)): more than \(limit) entries"
        case .alreadyExists(let path): "\(shown(path)): is there already"
        case .replaced(let path): "\(shown(path)): another process has put something else there"
        case .unsafeKeyFile(let path, let reason): "\(shown(path)): \(reason)"
        }
    }
}

extension UnsafeKeyReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .foreignOwner(let user): "belongs to user \(user), who could have put another key there"
        case .writableByOthers: "may be written by others, who could have put another key there"
        }
    }
}

private func shown(_ path: FilePath) -> String {
    escapedForTerminal(
        path.withCString { Array(UnsafeBufferPointer(start: $0, count: path.length)) }.map(UInt8.init(bitPattern:)))
}
