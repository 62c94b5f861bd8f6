private import CFileSystem

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// What must still be so for a file to have the content that it had when this was taken, just before it was read.
///
/// Times tell of every change only where nobody can write to the file unseen. A store into a page that is mapped
/// writable and dirty already moves no time, so a proof is taken only when nobody has the file open for writing; a
/// mapping made later moves the times with its first store. On other file systems (tmpfs for one) not even that is
/// so, or the times are another machine's.
struct UnchangedProof: Sendable {
    let status: FileStatus
    private let mount: UInt64
    private let clock: Clock

    /// Nil on any doubt.
    init?(of file: borrowing OpenArtifact) {
        status = file.status
        clock = Clock()
        guard status.kind == .regular, status.size >= Self.smallestSize else { return nil }
        guard let mount = Self.soundMount(file.descriptor.number) else { return nil }
        self.mount = mount
        // A change within the same tick of the clock would leave the times as they are.
        guard clock.isWellAfter(status.modified), clock.isWellAfter(status.changed) else { return nil }
        guard cfs_check_no_writer(file.descriptor.number) == 0 else { return nil }
    }

    /// Whether the file, just opened by its path, is the same and unchanged.
    func holds(for file: borrowing OpenArtifact) -> Bool {
        file.status == status && Self.soundMount(file.descriptor.number) == mount && clock.agrees(with: Clock())
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

/// The wall clock, and how it stands to one that nobody can set.
private struct Clock {
    private let now: Int64
    /// Since start-up, whatever is done to the wall clock.
    private let sinceBoot: Int64

    init() {
        now = Self.nanoseconds(CLOCK_REALTIME)
        #if canImport(Glibc)
            sinceBoot = Self.nanoseconds(CLOCK_BOOTTIME)
        #else
            sinceBoot = Self.nanoseconds(CLOCK_MONOTONIC)
        #endif
    }

    /// By more than any file system's tick and any lag of the time that it writes.
    func isWellAfter(_ time: FileStatus.Timestamp) -> Bool {
        let (seconds, overflow) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return !overflow && seconds < now - tolerance - time.nanoseconds
    }

    /// Whether the wall clock ran on between the two as the other clock did: times may repeat where it was set.
    func agrees(with other: Clock) -> Bool { abs((other.now - now) - (other.sinceBoot - sinceBoot)) <= tolerance }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Zero makes everything look too young to be proved.
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// 20 ms, in nanoseconds.
private let tolerance: Int64 = 20_000_000
