public import Foundation

/// Runs the built `intoto-run` in a directory, as a user would.
public struct IntotoRun: Sendable {
    public var directory: URL
    public var environment: [String: String]

    public init(
        in directory: URL = TemporaryDirectory.current,
        environment: [String: String] = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    ) {
        self.directory = directory
        self.environment = environment
    }

    @discardableResult
    public func callAsFunction(_ arguments: String..., input: [UInt8] = []) throws -> Subprocess {
        try run(arguments, input: input)
    }

    public func run(_ arguments: [String], input: [UInt8] = []) throws -> Subprocess {
        try Subprocess.run(
            BuiltProduct.intotoRun.path, arguments, in: directory, environment: environment, input: input)
    }

    /// Runs a shell script in which `$R` is the built executable.
    public func shell(_ script: String) throws -> Subprocess {
        var environment = environment
        environment["R"] = BuiltProduct.intotoRun.path
        return try Subprocess.run("/bin/sh", ["-c", script], in: directory, environment: environment)
    }

    /// Makes the throwaway key `key.pem` and `key.pem.pub`.
    public func makeKey(_ name: String = "key.pem", type: String = "ed25519") throws {
        let made = try run(["key", "generate", "--type", type, name])
        guard made.status == 0 else { throw SetupFailure(reason: made.errorText) }
    }

    public struct SetupFailure: Error {
        public let reason: String

        public init(reason: String) { self.reason = reason }
    }

    /// The same as an ordinary user, without root's power to read and write everything.
    public func asOrdinaryUser(_ arguments: String...) throws -> Subprocess { try asOrdinaryUser(arguments) }

    public func asOrdinaryUser(_ arguments: [String]) throws -> Subprocess {
        guard getuid() == 0 else { return try run(arguments) }
        return try Subprocess.run(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", BuiltProduct.intotoRun.path] + arguments,
            in: directory, environment: environment)
    }

    // MARK: Files of the directory

    public func write(_ text: String, to name: String) throws {
        let url = directory.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    public func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: directory.appending(path: name)))
    }

    /// Names in a directory, sorted; hidden ones too.
    public func list(_ name: String = ".") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.appending(path: name).path).sorted()
    }

    /// The one file in `folder` whose name ends in `suffix`.
    public func file(endingIn suffix: String, in folder: String = ".") throws -> String {
        let names = try list(folder).filter { $0.hasSuffix(suffix) }
        guard names.count == 1 else { throw MissingFile(suffix: suffix, found: names) }
        return folder == "." ? names[0] : "\(folder)/\(names[0])"
    }

    public struct MissingFile: Error {
        public let suffix: String
        public let found: [String]
    }
}
