public import Foundation

/// Runs a program to its end and keeps what it wrote.
public struct Subprocess: Sendable {
    /// 128 + N where signal N ended it, as shells say it.
    public var status: Int32
    public var output: [UInt8]
    public var errors: [UInt8]

    public var outputText: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errors, as: UTF8.self) }

    public struct SpawnFailure: Error {
        public let executable: String
        public let errno: Int32
    }

    /// Output goes through files, so that no volume of it can block the program.
    public static func run(
        _ executable: String, _ arguments: [String] = [], in directory: URL? = nil,
        environment: [String: String]? = nil, input: [UInt8] = []
    ) throws -> Subprocess {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "intoto-io-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let files = ["in", "out", "err"].map { scratch.appending(path: $0) }
        try Data(input).write(to: files[0])
        let processID = try spawn(
            executable, arguments, in: directory, environment ?? ProcessInfo.processInfo.environment, files.map(\.path))
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
        return Subprocess(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F,
            output: [UInt8](try Data(contentsOf: files[1])),
            errors: [UInt8](try Data(contentsOf: files[2]))
        )
    }

    /// Not through Foundation's Process: its children inherit a socket of its own and whatever its thread blocks, and
    /// what a program inherits is what many of these tests are about.
    private static func spawn(
        _ executable: String, _ arguments: [String], in directory: URL?, _ environment: [String: String],
        _ files: [String]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, files[0], O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, files[1], O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, files[2], O_WRONLY | O_CREAT, 0o600)
        for descriptor in 3..<Int32(256) { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var processID: pid_t = 0
        let command = ["/usr/bin/env", "-C", directory?.path ?? ".", executable] + arguments
        let error = withStrings(command) { arguments in
            withStrings(environment.map { "\($0)=\($1)" }) { environment in
                posix_spawn(&processID, "/usr/bin/env", &actions, &attributes, arguments, environment)
            }
        }
        guard error == 0 else { throw SpawnFailure(executable: executable, errno: error) }
        return processID
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the array ends in nil") }
            return body(base)
        }
    }
}
