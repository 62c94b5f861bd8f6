import CSupport
import FoundationEssentials
import InTotoCrypto
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
    /// `NAME=value` entries as bytes: not all of them are UTF-8. Those of `secrets` are not among them.
    var environment: [[UInt8]]
    /// Variables of ours that hold secrets, by their names.
    var secrets: [String: SecretBytes]
    var workingDirectory: [UInt8]
    /// What stood behind `--`; nil where there was no `--`.
    var command: [[UInt8]]?
    /// Waits for the command, where one is sure enough to come.
    var process: ChildProcess?
    /// The options of `run`, `record start` or `record stop`, as they were given.
    var invocation = Invocation()
    /// Prints one line on standard output; throws where that cannot take it, since an answer that nobody gets is none.
    var print: @Sendable (String) throws(Failure) -> Void
    /// Prints one line on standard error; where that fails there is nobody left to tell.
    var note: @Sendable (String) -> Void
    /// Asks on the terminal without echo; nil where there is nobody to ask.
    var askSecret: @Sendable (_ prompt: String) throws(Failure) -> SecretBytes?
    /// Descriptors above 2 that our caller handed down.
    var inheritedDescriptors: @Sendable () -> [Int32]
    /// Keeps an inherited descriptor from the command.
    var withholdDescriptor: @Sendable (Int32) -> Void
    /// Overwrites a variable in the process's own memory, where other processes could see it.
    var eraseVariable: @Sendable (String) -> Void

    func variable(_ name: String) -> [UInt8]? {
        let prefix = Array("\(name)=".utf8)
        return environment.first { $0.starts(with: prefix) }.map { Array($0.dropFirst(prefix.count)) }
    }
}

// MARK: Secrets

extension CommandContext {
    /// Variables whose values are secrets: they are moved out of the environment before anything else looks at it.
    private static let secretVariables = ["INTOTO_KEY_PASSPHRASE", "INTOTO_PKCS11_PIN"]

    /// Variables of ours, which nobody else gets and which are never recorded.
    static let ownVariables = secretVariables + ["INTOTO_KEY"]

    /// The value of a variable that holds a key, which is erased where the system shows it.
    func takeSecret(_ name: String) -> SecretBytes? {
        defer { eraseVariable(name) }
        return secrets[name] ?? variable(name).map(SecretBytes.init(copying:))
    }

    /// What a program that we start gets: neither keys nor passphrases of ours.
    func environmentForPrograms(without names: [String]) -> [[UInt8]] {
        let ours = (Self.ownVariables + names).map { Array("\($0)=".utf8) }
        return environment.filter { entry in !ours.contains { entry.starts(with: $0) } }
    }

    /// Entries whose values are not to be recorded, wherever they turn up: all but that which names a key.
    var entriesToMask: [[UInt8]] {
        environment.filter { !$0.starts(with: "INTOTO_KEY=".utf8) }
            + secrets.map { name, value in Array("\(name)=".utf8) + value.withUnsafeBytes(Array.init) }
    }

    private static func movedSecrets() -> [String: SecretBytes] {
        var secrets: [String: SecretBytes] = [:]
        for name in secretVariables {
            secrets[name] = CallerState.secret(name)
            cs_erase_variable(name)
        }
        return secrets
    }
}

extension CommandContext {
    static func live(command: [[UInt8]]?, process: ChildProcess?) -> CommandContext {
        let secrets = movedSecrets()
        return CommandContext(
            now: { Date() },
            environment: CallerState.environment.filter { entry in
                !secrets.keys.contains { entry.starts(with: "\($0)=".utf8) }
            },
            secrets: secrets,
            workingDirectory: CallerState.workingDirectory,
            command: command,
            process: process,
            print: { line throws(Failure) in
                let error = writeLine(line, to: 1)
                guard error == 0 else { throw Failure("standard output: cannot write: \(systemErrorText(error))") }
            },
            note: { _ = writeLine($0, to: 2, isNote: true) },
            askSecret: { prompt throws(Failure) in try TerminalPrompt.ask(prompt) },
            inheritedDescriptors: { CallerState.inheritedDescriptors },
            withholdDescriptor: { cs_withhold_descriptor($0) },
            eraseVariable: { cs_erase_variable($0) }
        )
    }

    private static func writeLine(_ line: String, to descriptor: Int32, isNote: Bool = false) -> Int32 {
        write(Array((line + "\n").utf8), to: descriptor, isNote: isNote)
    }

    /// Returns 0 or the error. A reader that has gone has read enough; one that has stopped reading is waited for, with a
    /// note only as long as `cs_patience` says: behind that, evidence waits to be written.
    static func write(_ bytes: [UInt8], to descriptor: Int32, isNote: Bool = false) -> Int32 {
        var offset = 0
        while offset < bytes.count {
            if isNote && !waitForRoom(in: descriptor) { return ETIMEDOUT }
            let count = bytes.withUnsafeBytes {
                systemWrite(
                    descriptor, $0.baseAddress?.advanced(by: offset),
                    isNote ? min(bytes.count - offset, 4096) : bytes.count - offset)
            }
            if count > 0 {
                offset += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN where isNote: continue
            case EAGAIN:
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, -1)
            case EPIPE: return 0
            case let error: return error
            }
        }
        return 0
    }

    /// A pipe that has room takes 4 KiB without waiting.
    private static func waitForRoom(in descriptor: Int32) -> Bool {
        while true {
            var event = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let patience = cs_patience()
            if poll(&event, 1, patience < 0 ? 50 : min(50, patience)) > 0 { return true }
            if patience == 0 { return false }
        }
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

    /// The value of a variable, straight from where the system has put it; nil where it is not set.
    static func secret(_ name: String) -> SecretBytes? {
        guard let value = cs_variable(name) else { return nil }
        return SecretBytes(copying: UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    static var inheritedDescriptors: [Int32] {
        let startup = cs_startup_state().pointee
        return withUnsafeBytes(of: startup.descriptors) {
            Array($0.bindMemory(to: Int32.self).prefix(Int(startup.descriptor_count)))
        }
    }

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
