internal import CSupport
// The only import of all of Foundation: it has Process.
internal import Foundation

/// The process that becomes the command.
///
/// Foundation's `Process` starts our own executable as a trampoline (CSupport/trampoline.c), which waits for the plan,
/// takes the exact bytes and descriptors from it and becomes the command: what `Process` gets wrong on Linux is put
/// right there. It is started early, so that its start-up overlaps with the reading of the materials, and so that
/// what the kernel counts as the command's memory does not begin with ours. One that gets no command ends with its owner.
package final class ChildProcess {
    private let process = Process()
    let processID: Int32
    /// Readable once the process has ended.
    let ended: Int32
    /// The plan goes out here, news of a failure come back.
    private let socket: Int32
    /// KiB that the kernel counts as the command's peak memory from the outset.
    private(set) var memoryBeforeCommand: Int64 = 0
    /// What runs the program where that is a script without an interpreter line.
    private(set) var shell: [UInt8]?

    /// Starts the trampoline. Must run on the main thread: the command dies with the thread that started it.
    package init() throws(LaunchError) {
        ProcessTree.noteInherited()
        let startup = cs_startup_state().pointee
        guard startup.highest_descriptor < 0 || UInt64(startup.highest_descriptor) < cs_descriptor_limit() else {
            throw .descriptorAboveLimit(startup.highest_descriptor, limit: startup.files_hard)
        }
        // Without these, Foundation's Process ends us with a signal.
        try Self.checkRoom(forDescriptors: Self.descriptorsNeeded)
        // Without these, Foundation and Dispatch wait for ever.
        guard cs_can_start_threads(Self.threadsNeeded) != 0 else {
            throw .runner(operation: "start threads", errno: EAGAIN)
        }
        var sockets: [Int32] = [0, 0]
        var events: [Int32] = [0, 0]
        try Self.check(cs_socket_pair(&sockets), "make a socket pair")
        try Self.check(cs_capture_pipe(&events), "make a pipe")
        socket = sockets[0]
        ended = events[0]

        process.executableURL = Self.ownExecutable
        process.arguments = [CS_TRAMPOLINE_ARGUMENT]
        process.environment = Self.loaderVariables
        // Process changes to a directory in any case, by a name that it has made text of. By this name it stays here.
        #if os(Linux)
            process.currentDirectoryURL = URL(filePath: "/proc/self/cwd", directoryHint: .isDirectory)
        #endif
        process.standardInput = FileHandle(fileDescriptor: sockets[1], closeOnDealloc: true)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let notify = events[1]
        process.terminationHandler = { process in
            cs_await_end(process.processIdentifier)
            close(notify)
        }
        do {
            try process.run()
        } catch {
            close(sockets[1])
            let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            throw .runner(operation: "start the trampoline", errno: Int32(underlying?.code ?? 0))
        }
        processID = process.processIdentifier
        close(sockets[1])
    }

    /// Without a plan, the trampoline ends when its socket closes.
    deinit {
        close(socket)
        close(ended)
    }

    /// Makes the process the command. Returns when its program has been executed, so that a program that cannot be is
    /// an error and not a status, or when `deadline` has come; what comes to `signals` meanwhile is dealt with.
    func execute(
        _ command: Command, program: [UInt8], with descriptors: CommandDescriptors, _ signals: SignalForwarding? = nil,
        until deadline: ContinuousClock.Instant? = nil
    ) throws(LaunchError) {
        guard cs_startup_state().pointee.descriptors_lost == 0 else {
            throw .tooManyDescriptors(limit: Int(CS_MAX_INHERITED))
        }
        try send(command, program, descriptors)
        try awaitExecution(of: command, program, signals, deadline)
    }

    /// Throws `.tooFewDescriptors` where so many more cannot be open.
    static func checkRoom(forDescriptors count: Int32) throws(LaunchError) {
        guard cs_can_open(count) != 0 else { throw .tooFewDescriptors(needed: Int(count)) }
    }

    /// What starts the command needs 14 of them. One thread that reads artifacts needs up to 12 (a root, the way to a
    /// directory and that of a link, a listing, two files under way and the next), and the repository is read beside it.
    private static let descriptorsNeeded: Int32 = 26
    /// Three of Foundation's, those that read output, what reads artifacts, and some to spare.
    private static let threadsNeeded: Int32 = 24

    /// Whether there is no process any more, or one that has yet to be taken leave of.
    var isGone: Bool { ProcessTree.status(of: processID)?.isZombie ?? true }

    /// Whether it has ended though `ended` does not say so: that is closed by a new thread, and where there can be none
    /// never is. To be asked now and then where it `isGone`; takes its end where Foundation does not.
    func hasEndedUntold() -> Bool { !process.isRunning || takeUnnoticedEnd() }

    /// Takes the end of a process that is gone, once Foundation has had a second to notice: it sleeps for ever where the
    /// message that would wake it is lost.
    private func takeUnnoticedEnd() -> Bool {
        if endIsTaken { return true }
        let since = goneSince ?? .now
        goneSince = since
        guard since.duration(to: .now) >= .seconds(1) else { return false }
        guard let end = Self.unnoticedEnd(of: processID, WNOHANG) else { return false }
        termination = end
        endIsTaken = true
        return true
    }

    /// Another process may have its number since.
    private(set) var endIsTaken = false
    private var goneSince: ContinuousClock.Instant?

    /// To be called when `ended` is readable, or `hasEndedUntold`, and before the ends of all children are taken.
    func takeEnd() {
        _ = termination
        endIsTaken = true
    }

    /// How it ended; to be asked for when it may be taken.
    ///
    /// Foundation takes a failure of waiting for success. Then the end is still there for us to wait for and take.
    private(set) lazy var termination: Termination = {
        if let end = Self.unnoticedEnd(of: processID, 0) { return end }
        return process.terminationReason == .uncaughtSignal
            ? .signalled(process.terminationStatus) : .exited(process.terminationStatus)
    }()

    private static func unnoticedEnd(of process: Int32, _ options: Int32) -> Termination? {
        let status = cs_unnoticed_end(process, options)
        guard status >= 0 else { return nil }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }

    /// All that the trampoline needs: the command's environment comes with the plan. Its own can be read by others, and
    /// ours may hold a key or a passphrase.
    private static var loaderVariables: [String: String] {
        var variables: [String: String] = [:]
        var next = cs_startup_state().pointee.environment
        while let entry = next?.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if cs_is_loader_variable(entry) != 0, parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            next = next?.advanced(by: 1)
        }
        return variables
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

    private func send(
        _ command: Command, _ program: [UInt8], _ descriptors: CommandDescriptors
    ) throws(LaunchError) {
        var payload: [UInt8] = []
        for string in [command.directory ?? [], program] + command.arguments + command.environment {
            payload += string
            payload.append(0)
        }
        let placed = descriptors.placed
        let startup = cs_startup_state().pointee
        var plan = cs_plan()
        plan.magic = UInt64(CS_PLAN_MAGIC)
        plan.flags = descriptors.isTerminal ? CS_FLAG_NEW_SESSION.rawValue : 0
        if descriptors.isAlone { plan.flags |= CS_FLAG_NO_TERMINAL.rawValue }
        if !command.usesShell { plan.flags |= CS_FLAG_NO_SHELL.rawValue }
        plan.argument_count = UInt32(command.arguments.count)
        plan.environment_count = UInt32(command.environment.count)
        plan.descriptor_count = UInt32(placed.count)
        plan.parent = getpid()
        plan.group = getpgrp()
        plan.ignored = startup.ignored
        plan.blocked = startup.blocked
        plan.core_soft = startup.core_soft
        plan.core_hard = startup.core_hard
        plan.files_soft = startup.files_soft
        plan.files_hard = startup.files_hard
        plan.size_soft = startup.size_soft
        plan.size_hard = startup.size_hard
        plan.payload = UInt64(payload.count)
        withUnsafeMutableBytes(of: &plan.targets) { targets in
            let targets = targets.bindMemory(to: Int32.self)
            for (index, descriptor) in placed.enumerated() { targets[index] = descriptor.target }
        }
        try Self.check(
            cs_send_plan(socket, &plan, placed.map(\.source), payload, payload.count), "hand over the command")
    }

    /// The trampoline says when it is ready to execute the command's program; then its socket closes where that
    /// succeeds, and it says what failed where not. Silence means that it did not get so far.
    private func awaitExecution(
        of command: Command, _ program: [UInt8], _ signals: SignalForwarding?, _ deadline: ContinuousClock.Instant?
    ) throws(LaunchError) {
        guard var answer = receive(nil, nil) else { throw .runner(operation: "start the command", errno: 0) }
        if answer.stage == Int32(CS_STAGE_READY.rawValue) {
            signals?.handle(.starting(processID), until: deadline)
            try giveLeave()
            memoryBeforeCommand = Int64(answer.peak_kibibytes)
            guard let next = receive(signals, deadline) else { return }
            answer = next
        }
        if answer.stage == Int32(CS_STAGE_SHELL.rawValue) {
            shell = Array(CS_SHELL.utf8)
            guard let failure = receive(signals, deadline) else { return }
            answer = failure
        }
        switch cs_stage(UInt32(answer.stage)) {
        case CS_STAGE_DIRECTORY: throw .badDirectory(path: command.directory ?? [], errno: answer.error)
        case CS_STAGE_EXEC: throw .notExecutable(path: program, errno: answer.error)
        case CS_STAGE_DESCRIPTORS: throw .runner(operation: "hand over descriptors", errno: answer.error)
        case CS_STAGE_GROUP: throw .runner(operation: "join the process group", errno: answer.error)
        default: throw .runner(operation: "start the command", errno: answer.error)
        }
    }

    /// Lets the trampoline go on, which holds signals back until then: those that we passed on to it are not told a second
    /// time that its group has them.
    private func giveLeave() throws(LaunchError) {
        var leave: UInt8 = 0
        var count = 0
        repeat { count = write(socket, &leave, 1) } while count < 0 && errno == EINTR
        // One that something has killed meanwhile was no command yet.
        guard count == 1 else { throw .runner(operation: "start the command", errno: errno == EPIPE ? 0 : errno) }
    }

    /// The command may be stopped before its program is executed, and stay so until `deadline`: `signals` are dealt with
    /// meanwhile.
    private func receive(_ signals: SignalForwarding?, _ deadline: ContinuousClock.Instant?) -> cs_failure? {
        var events = [socket, signals?.descriptor ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while events[0].revents == 0 {
            let left = deadline.pollMilliseconds
            if poll(&events, 2, left) == 0 && left == 0 { return nil }
            if events[1].revents != 0 { signals?.handle(.running(processID), until: deadline) }
        }
        var answer = cs_failure()
        let size = MemoryLayout<cs_failure>.size
        var count = 0
        repeat { count = recv(socket, &answer, size, Int32(MSG_WAITALL)) } while count < 0 && errno == EINTR
        return count == size ? answer : nil
    }
}
