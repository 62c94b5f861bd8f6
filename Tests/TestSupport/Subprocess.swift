public import Foundation

/// Runs a program to its end and keeps what it wrote.
public struct Subprocess: Sendable {
    /// 128 + N where signal N ended it, as shells say it.
    public var status: Int32
    public var output: [UInt8]
    public var errors: [UInt8]

    public var outputText: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errors, as: UTF8.self) }

    /// Output goes through files, so that no volume of it can block the program.
    public static func run(
        _ executable: String, _ arguments: [String] = [], in directory: URL? = nil,
        environment: [String: String]? = nil,
        input: [UInt8] = []
    ) throws -> Subprocess {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "intoto-io-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let files = ["in", "out", "err"].map { scratch.appending(path: $0) }
        for file in files { try Data(input).write(to: file) }
        for file in files[1...] { try Data().write(to: file) }

        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        if let directory { process.currentDirectoryURL = directory }
        if let environment { process.environment = environment }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try withoutBlockedSignals { try process.run() }
        ended.wait()
        let status = process.terminationStatus
        return Subprocess(
            status: process.terminationReason == .uncaughtSignal ? 128 + status : status,
            output: [UInt8](try Data(contentsOf: files[1])),
            errors: [UInt8](try Data(contentsOf: files[2]))
        )
    }

    /// Dispatch blocks signals in its threads, and a program inherits what its starter blocks.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }
}
