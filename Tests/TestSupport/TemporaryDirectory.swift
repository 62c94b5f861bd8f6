public import Foundation
public import Testing

/// Gives each test its own empty directory, removed afterwards: `@Test(.temporaryDirectory)`.
public struct TemporaryDirectory: TestTrait, SuiteTrait, TestScoping {
    @TaskLocal public static var current = URL(filePath: "/nonexistent")

    /// Nil: where temporary files usually are.
    var base: URL?

    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
    ) async throws {
        let base = base ?? FileManager.default.temporaryDirectory
        let directory = base.appending(path: "intoto-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        // Tests may leave directories without permissions; removal must still work.
        defer { TemporaryDirectory.remove(directory) }
        try await Self.$current.withValue(directory) { try await body() }
    }

    private static func remove(_ directory: URL) {
        let result = try? Subprocess.run(
            "/bin/sh", ["-c", "chmod -R u+rwx \"$1\" 2>/dev/null; rm -rf \"$1\"", "sh", directory.path])
        if result?.status != 0 { Issue.record("could not remove \(directory.path)") }
    }
}

extension Trait where Self == TemporaryDirectory {
    public static var temporaryDirectory: Self { TemporaryDirectory() }

    /// The same in another place.
    public static func temporaryDirectory(in base: URL?) -> Self { TemporaryDirectory(base: base) }
}
