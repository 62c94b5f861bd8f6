public import SystemPackage

/// A place for evidence that could not be put where it belongs.
public enum RescueFile {
    /// Where it is tried, in this order.
    private static let directories: [FilePath] = [".", "/tmp", "/var/tmp"]

    /// Writes `bytes` to a new file, readable by its owner alone, in the first directory that takes it, and returns the
    /// path; throws what the last directory said.
    public static func write(_ bytes: [UInt8], named name: String) throws(StorageError) -> FilePath {
        var failure = StorageError.system(".", operation: "write", errno: .noSpace)
        for directory in directories {
            let path = directory.appending("kept-\(UInt32.random(in: 0...(.max))).\(name)")
            do throws(StorageError) {
                var failed: StorageError?
                bytes.withUnsafeBytes { buffer in
                    do throws(StorageError) {
                        try KeyFile.create(path, buffer, mode: 0o600, replacing: false)
                    } catch { failed = error }
                }
                if let failed { throw failed }
                return path
            } catch { failure = error }
        }
        throw failure
    }
}
