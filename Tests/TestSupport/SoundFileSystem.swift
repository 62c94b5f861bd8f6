public import Foundation
public import Testing

/// A file system whose times tell of every change, so that digests may be taken over: ext4, xfs or btrfs.
public enum SoundFileSystem {
    /// A directory on one: that of temporary files, the one that the tests were built in, or /var/tmp. Nil where none of
    /// them is; tests that need it say so instead of passing.
    public static let directory: URL? = {
        let candidates = [
            FileManager.default.temporaryDirectory, BuiltProduct.tests.deletingLastPathComponent(),
            URL(filePath: "/var/tmp"),
        ]
        return candidates.first { candidate in
            let type = try? Subprocess.run("/usr/bin/stat", ["-f", "-c", "%T", candidate.path]).outputText
            return ["ext2/ext3\n", "xfs\n", "btrfs\n"].contains(type ?? "")
                && FileManager.default.isWritableFile(atPath: candidate.path)
        }
    }()

    /// Why a test that needs it is skipped.
    public static let isMissing: Comment = "no directory for tests is on ext4, xfs or btrfs"
}
