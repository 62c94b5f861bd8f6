/// What the file system says about one file.
struct FileStatus: Equatable, Sendable {
    enum Kind: Sendable {
        case regular, directory, symbolicLink, fifo, socket, device
    }

    struct Timestamp: Equatable, Sendable {
        var seconds: Int64
        var nanoseconds: Int64

        func precedes(_ other: Self) -> Bool { (seconds, nanoseconds) < (other.seconds, other.nanoseconds) }
    }

    var kind: Kind
    var identity: FileIdentity
    var size: Int64
    var modified: Timestamp
    var changed: Timestamp
    var isExecutable: Bool
}

/// One file, whatever its names: device and inode.
public struct FileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}
