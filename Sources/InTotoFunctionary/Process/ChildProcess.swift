internal import CSupport
// The only import of all of Foundation: it has Process.
internal import Foundation

/// The command while it runs.
///
/// Foundation's `Process` starts our own executable as a trampoline (CSupport/trampoline.c), which takes the exact
/// bytes and descriptors from here and becomes the command: what `Process` gets wrong on Linux is put right there.
final class ChildProcess {
    private let process = Process()
    let processID: Int32
    /// Readable once the command has ended.
    let ended: Int32

    /// Starts `command` with `outputs` as its standard output and error where they are given, our own otherwise.
    ///
    /// Must run on the main thread: the command dies with the thread that started it. Returns when the command's
    /// program has been executed, so that a program that cannot be is an error and not a status.
    init(_ command: Command, program: [UInt8], outputs: StandardOutputs) throws(LaunchError) {
        var sockets: [Int32] = [0, 0]
        var events: [Int32] = [0, 0]
        try Self.check(cs_socket_pair(&sockets), "make a socket pair")
        defer { close(sockets[0]) }
        try Self.check(cs_capture_pipe(&events), "make a pipe")
        ended = events[0]

        process.executableURL = Self.ownExecutable
        process.arguments = [CS_TRAMPOLINE_ARGUMENT]
        process.standardInput = FileHandle(fileDescriptor: sockets[1], closeOnDealloc: true)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let notify = events[1]
        process.terminationHandler = { _ in close(notify) }
        do {
            try process.run()
        } catch {
            close(sockets[1])
            let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            throw .runner(operation: "start the trampoline", errno: Int32(underlying?.code ?? 0))
        }
        processID = process.processIdentifier
        close(sockets[1])
        try Self.send(command, program: program, outputs: outputs, to: sockets[0])
        try Self.awaitExecution(of: command, program: program, on: sockets[0])
    }

    deinit { close(ended) }

    /// How it ended; to be asked for when `ended` is readable.
    var termination: Termination {
        process.terminationReason == .uncaughtSignal
            ? .signalled(process.terminationStatus) : .exited(process.terminationStatus)
    }

    private static let ownExecutable: URL = {
        #if os(Linux)
            URL(filePath: "/proc/self/exe")
        #else
            Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        #endif
    }()

    private static func check(_ errno: Int32, _ operation: String) throws(LaunchError) {
        guard errno == 0 else { throw .runner(operation: operation, errno: errno) }
    }

    private static func send(
        _ command: Command, program: [UInt8], outputs: StandardOutputs, to socket: Int32
    ) throws(LaunchError) {
        let descriptors = outputs.descriptorsForCommand
        var payload: [UInt8] = []
        for string in [command.directory ?? [], program] + command.arguments + command.environment {
            payload += string
            payload.append(0)
        }
        let startup = cs_startup_state().pointee
        var plan = cs_plan()
        plan.magic = UInt64(CS_PLAN_MAGIC)
        plan.argument_count = UInt32(command.arguments.count)
        plan.environment_count = UInt32(command.environment.count)
        plan.descriptor_count = UInt32(descriptors.count)
        plan.parent = getpid()
        plan.group = getpgrp()
        plan.ignored = startup.ignored
        plan.blocked = startup.blocked
        plan.core_soft = startup.core_soft
        plan.core_hard = startup.core_hard
        plan.payload = UInt64(payload.count)
        withUnsafeMutableBytes(of: &plan.targets) { targets in
            let targets = targets.bindMemory(to: Int32.self)
            for (index, descriptor) in descriptors.enumerated() { targets[index] = descriptor.target }
        }
        try check(cs_send_plan(socket, &plan, descriptors.map(\.source), payload, payload.count), "hand over the plan")
    }

    /// The trampoline's socket closes when the command's program is executed; before that, it says what failed.
    private static func awaitExecution(of command: Command, program: [UInt8], on socket: Int32) throws(LaunchError) {
        var failure = cs_failure()
        let size = MemoryLayout<cs_failure>.size
        var count = 0
        repeat { count = recv(socket, &failure, size, Int32(MSG_WAITALL)) } while count < 0 && errno == EINTR
        guard count == size else { return }
        switch cs_stage(UInt32(failure.stage)) {
        case CS_STAGE_DIRECTORY: throw .badDirectory(path: command.directory ?? [], errno: failure.error)
        case CS_STAGE_EXEC: throw .notExecutable(path: program, errno: failure.error)
        case CS_STAGE_DESCRIPTORS: throw .runner(operation: "hand over descriptors", errno: failure.error)
        case CS_STAGE_GROUP: throw .runner(operation: "join the process group", errno: failure.error)
        default: throw .runner(operation: "start the command", errno: failure.error)
        }
    }
}
