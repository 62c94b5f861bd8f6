public import Foundation

/// Real git, cut off from the configuration of whoever runs the tests.
public struct GitCommands: Sendable {
    public let directory: URL

    public init(in directory: URL) throws {
        self.directory = directory
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    public static let environment = [
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.com", "GIT_ALLOW_PROTOCOL": "file",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "init.defaultBranch", "GIT_CONFIG_VALUE_0": "main",
        "GIT_OPTIONAL_LOCKS": "0",
    ]

    /// Runs a script of bash in the directory; throws where any of it fails.
    @discardableResult
    public func callAsFunction(_ script: String) throws -> String {
        let result = try Subprocess.run(
            "/bin/bash", ["-euc", script], in: directory, environment: Self.environment)
        guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: "\(script): \(result.errorText)") }
        return result.outputText
    }

    /// The first line of what it prints.
    public func line(_ script: String) throws -> String {
        try self(script).split(separator: "\n").first.map(String.init) ?? ""
    }

    /// A repository with a commit of a few files.
    public static func repository(_ name: String = "repository") throws -> GitCommands {
        let git = try GitCommands(in: TemporaryDirectory.current.appending(path: name))
        try git(
            """
            git init -q .
            mkdir -p d/e src; echo a >a; echo b >d/b; echo c >d.c; echo e >d/e/e; echo x >src/x.sh; chmod +x src/x.sh
            ln -s a link; printf '*.o\\n/build/\\n!keep.o\\n' >.gitignore
            git add . && git commit -qm first
            """)
        return git
    }
}
