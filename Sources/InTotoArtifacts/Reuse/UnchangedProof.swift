private import CFileSystem

/// What must still be so for a file to have the content that it had when this was taken, just before it was read.
///
/// Times tell of every change only where nobody can write to the file unseen. A store into a page that is mapped
/// writable and dirty already moves no time, so a proof is taken only when nobody has the file open for writing; a
/// mapping made later moves the times with its first store. On other file systems (tmpfs for one) not even that is
/// so, or the times are another machine's.
struct UnchangedProof: Sendable {
    let status: FileStatus
    private let mount: UInt64
    private let clock: ClockReading

    /// Nil on any doubt.
    init?(of file: borrowing OpenArtifact) {
        status = file.status
        clock = ClockReading()
        guard status.kind == .regular, status.size >= Self.smallestSize else { return nil }
        guard let mount = Self.soundMount(file.descriptor.number) else { return nil }
        self.mount = mount
        // A change within the same tick of the clock would leave the times as they are.
        guard clock.isWellAfter(seconds: status.modified.seconds, nanoseconds: status.modified.nanoseconds),
            clock.isWellAfter(seconds: status.changed.seconds, nanoseconds: status.changed.nanoseconds)
        else { return nil }
        guard cfs_check_no_writer(file.descriptor.number) == 0 else { return nil }
    }

    /// Whether the file, just opened by its path, is the same and unchanged.
    func holds(for file: borrowing OpenArtifact) -> Bool {
        file.status == status && Self.soundMount(file.descriptor.number) == mount && clock.agrees(with: ClockReading())
    }

    /// In bytes: below it, proving costs as much as reading.
    static let smallestSize: Int64 = 256 << 10

    /// The mount that the file is on, if its file system is one whose times can be trusted.
    private static func soundMount(_ descriptor: Int32) -> UInt64? {
        var type: UInt64 = 0
        var mount: UInt64 = 0
        guard cfs_type(descriptor, &type) == 0, soundTypes.contains(type) else { return nil }
        return cfs_mount_id(descriptor, &mount) == 0 ? mount : nil
    }

    /// ext4, xfs, btrfs. Source: Linux, `include/uapi/linux/magic.h`.
    private static let soundTypes: Set<UInt64> = [0xEF53, 0x5846_5342, 0x9123_683E]
}
