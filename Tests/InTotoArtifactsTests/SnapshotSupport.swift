import Foundation
import InTotoArtifacts
import InTotoMetadata
import SystemPackage
import TestSupport

/// A tree in the test's own directory, and snapshots of it.
struct Tree {
    let root: String

    init(_ name: String = "tree") throws {
        root = TemporaryDirectory.current.appending(path: name).path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    /// One that another process made.
    init(existing root: String) { self.root = root }

    /// Runs a shell script with the tree as directory; throws where it fails.
    @discardableResult
    func shell(_ script: String) throws -> String {
        let result = try Subprocess.run("/bin/bash", ["-euc", script], in: URL(filePath: root))
        guard result.status == 0 else { throw ShellFailure(message: result.errorText) }
        return result.outputText
    }

    struct ShellFailure: Error { let message: String }

    var options: SnapshotOptions {
        var options = SnapshotOptions()
        options.base = FilePath(root)
        options.threads = 4
        return options
    }

    func take(_ references: String..., with change: (inout SnapshotOptions) throws -> Void = { _ in }) throws
        -> SnapshotResult
    {
        var options = options
        try change(&options)
        return try Snapshot.take(of: references.map { try ArtifactReference(parsing: $0.utf8) }, options: options)
    }

    /// The problems that a snapshot fails with.
    func problems(_ references: String..., with change: (inout SnapshotOptions) -> Void = { _ in }) throws -> [String] {
        var options = options
        change(&options)
        do {
            _ = try Snapshot.take(of: references.map { try ArtifactReference(parsing: $0.utf8) }, options: options)
            return []
        } catch let error as SnapshotError {
            return error.problems.map(\.description)
        }
    }
}

extension SnapshotResult {
    var names: [String] { artifacts.map { String(decoding: $0.name.text.utf8, as: UTF8.self) } }

    func sha256(_ name: String) -> String? { artifacts[ArtifactName(Text(name))]?[.sha256]?.description }

    var leftOut: [String] { notRecorded.map { "\(escapedForTerminal($0.path)): \($0.reason)" } }
}

/// Whether the long forms of tests are asked for.
let isLong = ProcessInfo.processInfo.environment["INTOTO_LONG_TESTS"] == "1"

/// Ends a child process with a reason.
func fail(_ reason: String) -> Never {
    FileHandle.standardError.write(Data("\(reason)\n".utf8))
    exit(1)
}
