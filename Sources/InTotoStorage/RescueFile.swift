public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A place for evidence that could not be put where it belongs.
public enum RescueFile {
    /// Where it is tried, in this order.
    private static var directories: [FilePath] { [workingDirectory ?? ".", "/tmp", "/var/tmp"] }

    /// Whoever reads of the file may be elsewhere. Nil where its path cannot be told, or not as text.
    private static var workingDirectory: FilePath? {
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return String(validatingCString: path).map { FilePath($0) }
    }

    /// Most bytes of `name` that are used, from its end: some file systems take no more than 143 in all.
    private static let nameLimit = 120

    /// Writes `bytes` to a new file, readable by its owner alone, in the first directory that takes it, and returns the
    /// path; throws what the last directory said.
    public static func write(_ bytes: [UInt8], named name: String) throws(StorageError) -> FilePath {
        var failure = StorageError.system(".", operation: "write", errno: .noSpace)
        for directory in directories {
            let path = directory.appending("kept-\(UInt32.random(in: 0...(.max))).\(shortened(name))")
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

    private static func shortened(_ name: String) -> String {
        var end = name.unicodeScalars[...]
        while end.count > 0 && String(end).utf8.count > nameLimit { end = end.dropFirst() }
        return String(end)
    }
}
