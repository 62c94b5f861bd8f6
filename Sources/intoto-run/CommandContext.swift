import CSupport
import FoundationEssentials
import InTotoFunctionary
import InTotoMetadata

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a verb may touch besides its options; `live()` is called in `main` only.
struct CommandContext {
    var now: @Sendable () -> Date
    /// `NAME=value` entries as bytes: not all of them are UTF-8.
    var environment: [[UInt8]]
    var workingDirectory: [UInt8]
    /// What stood behind `--`; nil where there was no `--`.
    var command: [[UInt8]]?
    /// Waits for the command, where one is sure enough to come.
    var process: ChildProcess?
    /// The options of `run`, as they were given.
    var invocation = Invocation()
    /// Prints one line on standard output; throws where that cannot take it, since an answer that nobody gets is none.
    var print: @Sendable (String) throws(Failure) -> Void
    /// Prints one line on standard error; where that fails there is nobody left to tell.
    var note: @Sendable (String) -> Void

    func variable(_ name: String) -> [UInt8]? {
        let prefix = Array("\(name)=".utf8)
        return environment.first { $0.starts(with: prefix) }.map { Array($0.dropFirst(prefix.count)) }
    }
}

extension CommandContext {
    static func live(command: [[UInt8]]?, process: ChildProcess?) -> CommandContext {
        CommandContext(
            now: { Date() },
            environment: CallerState.environment,
            workingDirectory: CallerState.workingDirectory,
            command: command,
            process: process,
            print: { line throws(Failure) in
                let error = writeLine(line, to: 1)
                guard error == 0 else { throw Failure("standard output: cannot write: \(systemErrorText(error))") }
            },
            note: { _ = writeLine($0, to: 2) }
        )
    }

    private static func writeLine(_ line: String, to descriptor: Int32) -> Int32 {
        write(Array((line + "\n").utf8), to: descriptor)
    }

    /// Returns 0 or the error. A reader that has gone has read enough.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                systemWrite(descriptor, $0.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if count > 0 {
                offset += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, -1)
            case EPIPE: return 0
            case let error: return error
            }
        }
        return 0
    }
}

/// The system's `write`, which a method of the same name hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

/// What the process was given, as bytes.
enum CallerState {
    static var arguments: [[UInt8]] {
        let startup = cs_startup_state().pointee
        return strings(startup.argv)
    }

    static var environment: [[UInt8]] { strings(cs_startup_state().pointee.environment) }

    static var workingDirectory: [UInt8] {
        guard let path = getcwd(nil, 0) else { return [] }
        defer { free(path) }
        return bytes(path)
    }

    private static func strings(_ vector: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [[UInt8]] {
        guard let vector else { return [] }
        var strings: [[UInt8]] = []
        while let string = vector[strings.count] { strings.append(bytes(string)) }
        return strings
    }

    private static func bytes(_ string: UnsafePointer<CChar>) -> [UInt8] {
        UnsafeRawBufferPointer(start: string, count: strlen(string)).map { $0 }
    }
}
