internal import CSupport
internal import InTotoCrypto

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What is kept of the command's output.
public enum StreamPolicy: Sendable {
    /// Nothing: the command has our own descriptors, and no byte is copied.
    case passThrough
    /// Both streams, shown live as well.
    case record
}

/// What became of the command.
public struct ExecutedCommand: Sendable {
    public var termination: Termination
    public var output: RecordedStream?
    public var errors: RecordedStream?
    /// Of the command and what it waited for.
    public var usage: ResourceUse
    /// What could not be passed on live, as messages.
    public var forwardingProblems: [String]
}

/// Processor time that the command's processes used, as far as they were waited for.
public struct ResourceUse: Sendable {
    public var userMilliseconds: Int64
    public var systemMilliseconds: Int64
}

/// Runs a command from start to end.
public struct CommandExecution: Sendable {
    private let command: Command
    private let program: [UInt8]

    /// Finds the program; throws where there is none that can be executed, so that nothing is begun in vain.
    public init(_ command: Command) throws(LaunchError) {
        self.command = command
        program = try ProgramLookup.resolve(command)
    }

    /// Runs the command and waits for it. Must be called on the main thread.
    public func run(_ policy: StreamPolicy) throws -> ExecutedCommand {
        let signals = try SignalForwarding()
        var captures: [OutputCapture] = []
        if policy == .record {
            captures = [try OutputCapture(passingOnTo: 1), try OutputCapture(passingOnTo: 2)]
        }
        let outputs = StandardOutputs(output: captures.first?.writingEnd, errors: captures.last?.writingEnd)
        let child = try ChildProcess(command, program: program, outputs: outputs)
        for capture in captures { capture.start() }
        wait(for: child, signals)
        let streams = try captures.map { try $0.finish() }
        return ExecutedCommand(
            termination: child.termination, output: streams.first, errors: streams.last, usage: resourceUse(),
            forwardingProblems: zip(captures, ["standard output", "standard error"]).compactMap(describeProblem)
        )
    }

    private func wait(for child: ChildProcess, _ signals: SignalForwarding) {
        var events = [
            pollfd(fd: child.ended, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        repeat {
            poll(&events, 2, -1)
            if events[1].revents != 0 { signals.forward(to: child.processID) }
        } while events[0].revents == 0
    }

    private func resourceUse() -> ResourceUse {
        var usage = cs_usage()
        cs_children_usage(&usage)
        return ResourceUse(
            userMilliseconds: Int64(usage.user_microseconds / 1000),
            systemMilliseconds: Int64(usage.system_microseconds / 1000)
        )
    }

    private func describeProblem(_ capture: OutputCapture, _ name: String) -> String? {
        guard let error = capture.forwardingError, error != EPIPE else { return nil }
        return "\(name) could not be passed on: \(systemErrorText(error))"
    }
}
