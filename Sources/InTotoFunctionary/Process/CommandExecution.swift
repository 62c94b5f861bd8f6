internal import CSupport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What became of the command.
public struct ExecutedCommand: Sendable {
    public var termination: Termination
    public var hasTimedOut: Bool
    /// Processes of the command that were still there when its step ended.
    public var background: [DescendantProcess]
    public var output: RecordedStream?
    public var errors: RecordedStream?
    /// Output went through us: once we have ended, nobody reads what the processes in `background` write to it.
    public var passedOutputOn: Bool
    /// Output did not get to where it should have gone, though its reader had not gone away.
    public var lostOutput: Bool
    /// Of the command and what it waited for.
    public var usage: ResourceUse
    /// What could not be passed on live, and masks that could not be heeded, as messages.
    public var warnings: [String]
}

/// The command ended, but its output could not be recorded.
struct RecordingFailure: Error {
    let reason: String
    /// Without its streams.
    let command: ExecutedCommand
}

/// What the command's processes used, as far as they were waited for.
public struct ResourceUse: Sendable {
    public var userMilliseconds: Int64
    public var systemMilliseconds: Int64
    public var peakMemory: PeakMemory
}

/// The largest resident memory that a process of the command had.
///
/// The kernel keeps the figure across execve, so that the command's begins with what the runner had when it started the
/// process; and it keeps one for all that we waited for, programs that sign among them. Below these, nothing more is
/// known.
public enum PeakMemory: Hashable, Sendable {
    case kibibytes(Int64)
    case atMostKibibytes(Int64)
}

private struct Captures {
    var output: OutputCapture?
    var errors: OutputCapture?

    var all: [OutputCapture] { [output, errors].compactMap(\.self) }

    /// What was not passed on, as messages.
    var losses: [String] {
        [output?.loss.map { "standard output \($0)" }, errors?.loss.map { "standard error \($0)" }].compactMap(\.self)
    }

    func finish() throws -> (output: RecordedStream?, errors: RecordedStream?) {
        (try output?.finish(), try errors?.finish())
    }
}

/// A command that is about to run: its program is found, its process is there and waits.
public final class CommandExecution {
    private let command: Command
    private let program: [UInt8]
    private let child: ChildProcess
    /// The program and the interpreters that it needs; known in full once it runs.
    private(set) var executables: [ExecutableIdentity]
    private let masks: MaskList

    /// Finds the program and starts the process unless that waits already; throws where there is no program that can be
    /// executed, or where what `run` opens would be too much, so that nothing is begun in vain. Must be called on the main
    /// thread.
    package init(
        _ command: Command, in process: ChildProcess? = nil, _ policy: StreamPolicy, usesTerminal: Bool
    ) throws(LaunchError) {
        self.command = command
        program = try ProgramLookup.resolve(command)
        child = if let process { process } else { try ChildProcess() }
        try ChildProcess.checkRoom(forDescriptors: Self.descriptorsNeeded(policy, usesTerminal))
        masks =
            command.masks
            ?? MaskList(SecretValues(environment: command.environment, redacting: command.redactedVariables))
        executables = ExecutableIdentity.identify(
            program: program, directory: command.directory, searchPath: ProgramLookup.searchPath(of: command))
    }

    /// What is open at a time while the command runs, beside its process.
    private static func descriptorsNeeded(_ policy: StreamPolicy, _ usesTerminal: Bool) -> Int32 {
        let forSignals: Int32 = 2
        // Directories and files of /proc.
        let forProcesses: Int32 = 3
        // In the place of what is not the command's, or is its alone.
        let forNothing: Int32 = 1
        let eachCapture: Int32 = 4
        // Both sides of a terminal, our own, and two pipes that end the threads at it.
        let forStreams: Int32 = usesTerminal ? 7 : policy.recording == nil ? 0 : 2 * eachCapture
        return forSignals + forProcesses + forNothing + forStreams
    }

    /// The command's arguments as they may be recorded, and how many secrets were replaced in them.
    var recordedArguments: (arguments: [[UInt8]], redactions: Int) {
        let redacted = command.arguments.map { StreamRedactor.redacted($0, masks: masks) }
        return (redacted.map(\.bytes), redacted.reduce(0) { $0 + $1.count })
    }

    /// The program and its interpreters, as they may be recorded.
    var recordedExecutables: [ExecutableIdentity] {
        executables.map { ExecutableIdentity(path: masks.masked($0.path), content: $0.content) }
    }

    /// Runs the command and waits for it. To be called once.
    public func run(_ policy: StreamPolicy, usesTerminal: Bool, _ limits: CommandLimits) throws -> ExecutedCommand {
        var signals = try SignalForwarding()
        defer { if limits.endsUsWhenAsked { cs_end_when_asked() } }
        let terminal = usesTerminal ? try TerminalRelay() : nil
        signals.terminal = terminal
        let isAlone = command.surroundings == .none
        signals.commandIsInOurSession = terminal == nil && !isAlone
        let nothing = terminal == nil ? try EmptyInput() : nil
        let captures = try captures(policy, terminal)
        // What we pass on, the command could not have written either.
        cs_limit_file_size(1)
        defer { cs_limit_file_size(0) }
        // Programs that sign have run already.
        let before = Self.childrenUsage()
        let deadline = limits.timeout.map { ContinuousClock.now + $0 }
        do {
            if let timeout = limits.timeout { try Self.keepLimit(timeout) }
            for capture in captures.all { try capture.start() }
            try terminal?.start(for: child.processID)
            let descriptors = Self.descriptors(terminal, captures, isAlone ? nothing : nil)
            try child.execute(command, program: program, with: descriptors, signals, until: deadline)
        } catch {
            for capture in captures.all { capture.giveUp() }
            terminal?.finish()
            cs_end_limit()
            throw error
        }
        for capture in captures.all { capture.commandHasIt() }
        if !isAlone { nothing?.takeThePlace(of: 0) }
        if let shell = child.shell {
            executables += ExecutableIdentity.identify(program: shell, directory: nil, searchPath: [])
        }
        let outcome = Supervision(child: child, signals: signals, limits: limits, deadline: deadline).wait()
        // Before our own process is among those that we waited for.
        let usage = resourceUse(since: before)
        cs_end_limit()
        terminal?.finish()
        if !limits.endsUsWhenAsked { cs_finish_after_signals() }
        // Nobody sees the output of what runs alone, and others of its kind may come after it.
        if (outcome.hasTimedOut || outcome.wasAskedToEnd) && !isAlone { cs_hurry() }
        let streams = Result { try captures.finish() }
        let losses = captures.losses
        var result = ExecutedCommand(
            termination: child.termination, hasTimedOut: outcome.hasTimedOut,
            background: outcome.background.map { $0.masked(by: masks) },
            passedOutputOn: !captures.all.isEmpty, lostOutput: !losses.isEmpty, usage: usage,
            warnings: losses
                + masks.refused.map { "values that were announced to be masked are not: those \($0)" })
        do {
            let (output, errors) = try streams.get()
            result.errors = errors
            result.output = policy == .off ? nil : output
        } catch {
            throw RecordingFailure(reason: "\(error)", command: result)
        }
        return result
    }

    private static func keepLimit(_ limit: Duration) throws(LaunchError) {
        let error = cs_keep_limit(limit.milliseconds)
        guard error == 0 else { throw .runner(operation: "start a process", errno: error) }
    }

    /// The streams that we read: two pipes, one terminal, or none. What our caller had closed stays closed.
    private func captures(_ policy: StreamPolicy, _ terminal: TerminalRelay?) throws -> Captures {
        if let terminal {
            let command = child.processID
            return Captures(
                output: try OutputCapture(terminal, policy.recording ?? .nothing, masks) {
                    terminal.hangUp(on: command)
                })
        }
        guard let recording = policy.recording else { return Captures() }
        if command.surroundings == .none {
            return Captures(
                output: try OutputCapture(passingOnTo: nil, recording, masks),
                errors: try OutputCapture(passingOnTo: nil, recording, masks))
        }
        let isOpen = cs_startup_state().pointee.standard_open
        return Captures(
            output: isOpen.1 == 0 ? nil : try OutputCapture(passingOnTo: 1, recording, masks),
            errors: isOpen.2 == 0 ? nil : try OutputCapture(passingOnTo: 2, recording, masks))
    }

    private static func descriptors(
        _ terminal: TerminalRelay?, _ captures: Captures, _ nothing: EmptyInput?
    ) -> CommandDescriptors {
        if let nothing {
            return CommandDescriptors(
                input: nothing.descriptor, output: captures.output?.writingEnd ?? nothing.descriptor,
                errors: captures.errors?.writingEnd ?? nothing.descriptor, isAlone: true)
        }
        guard let terminal else {
            return CommandDescriptors(output: captures.output?.writingEnd, errors: captures.errors?.writingEnd)
        }
        let side = terminal.forCommand
        return CommandDescriptors(input: side, output: side, errors: side, isTerminal: true)
    }

    private static func childrenUsage() -> cs_usage {
        var usage = cs_usage()
        cs_children_usage(&usage)
        return usage
    }

    private func resourceUse(since before: cs_usage) -> ResourceUse {
        let usage = Self.childrenUsage()
        let floor = max(
            child.memoryBeforeCommand, Int64(usage.memory_floor_kibibytes), Int64(before.peak_kibibytes))
        let peak = Int64(usage.peak_kibibytes)
        return ResourceUse(
            userMilliseconds: max(0, Int64(usage.user_microseconds) - Int64(before.user_microseconds)) / 1000,
            systemMilliseconds: max(0, Int64(usage.system_microseconds) - Int64(before.system_microseconds)) / 1000,
            peakMemory: peak > floor ? .kibibytes(peak) : .atMostKibibytes(floor)
        )
    }
}

extension DescendantProcess {
    fileprivate func masked(by masks: MaskList) -> DescendantProcess {
        var process = self
        process.name = name.count < Self.longestName ? masks.masked(name) : masks.masked(cutOff: name)
        return process
    }
}

/// `/dev/null`: for commands that get nothing of our caller's, and in the place of what the command alone is to hold.
private final class EmptyInput {
    let descriptor: Int32

    init() throws(LaunchError) {
        descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw .runner(operation: "open /dev/null", errno: errno) }
    }

    /// What stood there is closed: whoever writes to it shall see when the command reads no more.
    func takeThePlace(of other: Int32) { dup2(descriptor, other) }

    deinit { close(descriptor) }
}
