public import InTotoMetadata
import SystemPackage

/// One file by its literal path: no pattern, no scheme, no directory, and no link in its place.
public struct SingleFile {
    private let path: [UInt8]
    private let algorithms: [DigestAlgorithm]

    /// The file's digests; nil where nothing is there. `algorithms` are those of `SnapshotOptions.digests`.
    ///
    /// Throws where it is no regular file, cannot be read, or changes while it is read.
    public static func digests(
        of path: Text, _ algorithms: [DigestAlgorithm]
    ) throws(SnapshotError) -> DigestSet? {
        try SingleFile(path: path.utf8, algorithms: Set(algorithms).sorted()).digests()
    }

    /// Whether something has this name, be it a link to nothing.
    public static func isThere(_ path: Text) -> Bool {
        let (directory, name) = PathBytes.split(path.utf8)
        do throws(SystemError) {
            let parent = try open(directory)
            _ = try SystemCalls.status(name, in: parent.number)
            return true
        } catch { return false }
    }

    private static func open(_ directory: [UInt8]) throws(SystemError) -> Descriptor {
        try SystemCalls.openDirectory(directory.isEmpty ? "." : FilePath(String(decoding: directory, as: UTF8.self)))
    }

    private func digests() throws(SnapshotError) -> DigestSet? {
        let (directory, name) = PathBytes.split(path)
        do {
            let parent = try Self.open(directory)
            return try digests(of: try SystemCalls.openFile(name, in: parent.number))
        } catch let error as SystemError {
            switch error.code {
            case .noSuchFileOrDirectory, .notDirectory: return nil
            case .tooManySymbolicLinkLevels: throw problem(.linkRefused)
            default: throw problem(.init(error))
            }
        } catch FileHasher.Failure.changed {
            throw problem(.changedWhileRead)
        } catch FileHasher.Failure.system(let error) {
            throw problem(.init(error))
        } catch let error as SnapshotError {
            throw error
        } catch { throw problem(.failed("\(error)")) }
    }

    /// What is a pipe or a device was opened without waiting, and is not read.
    private func digests(of file: consuming Descriptor) throws -> DigestSet {
        let status = try SystemCalls.status(file.number)
        guard status.kind == .regular else { throw problem(.failed("is not a regular file")) }
        var output: [UInt8] = []
        try FileHasher(algorithms, .verbatim).hash(file.number, status, into: &output) { _ in }
        var digests = DigestSet()
        for algorithm in algorithms {
            let length = RunningDigest.hexLength(of: algorithm)
            digests[algorithm] = Text(repairing: output.prefix(length))
            output.removeFirst(length)
        }
        return digests
    }

    private func problem(_ reason: SnapshotProblem.Reason) -> SnapshotError {
        SnapshotError(problems: [SnapshotProblem(path: path, reason: reason)], count: 1)
    }
}
