/// The command of a step, as bytes: neither arguments nor environment need be UTF-8.
public struct Command: Sendable {
    /// Never empty; the first is what the user typed for the program.
    public var arguments: [[UInt8]]
    /// `NAME=value` entries, in the caller's order, duplicates kept.
    public var environment: [[UInt8]]
    /// Where the command runs; nil: in the directory of the runner.
    public var directory: [UInt8]?
    /// Variables whose values are replaced wherever they occur in what is recorded, beside those that look secret.
    public var redactedVariables: [VariablePattern] = []
    /// What is replaced; nil: what the environment and `redactedVariables` say, which takes a while to find out.
    public var masks: MaskList?

    public var surroundings = Surroundings.callers
    /// Whether the system's shell runs a program that has no interpreter line, as it does for whoever types one.
    public var usesShell = true

    public init(arguments: [[UInt8]], environment: [[UInt8]], directory: [UInt8]? = nil) {
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }
}

/// What a command shares with whoever called the runner.
public enum Surroundings: Sendable {
    /// Standard input, output and error, the terminal, and whatever descriptors were handed down.
    case callers
    /// Nothing: no input, no terminal, output that is recorded and shown to nobody, and no process that outlives it.
    case none
}

/// How a command ended.
public enum Termination: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// What evidence says: the status, or −N for death by signal N.
    public var returnValue: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let number): -number
        }
    }

    /// What shells say: the status, or 128 + N.
    public var exitStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let number): 128 + number
        }
    }
}

/// Why a command did not start. Nothing of it ran.
public enum LaunchError: Error, Hashable {
    case notFound(program: [UInt8])
    /// Found, but it cannot be executed.
    case notExecutable(path: [UInt8], errno: Int32)
    case badDirectory(path: [UInt8], errno: Int32)
    /// Our caller handed down more descriptors than can be passed on.
    case tooManyDescriptors(limit: Int)
    /// Our caller handed one down, and lowered the limit below it, so that it could not be put in its place.
    case descriptorAboveLimit(Int32, limit: UInt64)
    /// Fewer are free than a launch takes.
    case tooFewDescriptors(needed: Int)
    /// Our own part of the launch failed; `errno` 0: the process ended before it became the command.
    case runner(operation: String, errno: Int32)
    case emptyCommand
    case containsNUL(argument: [UInt8])
}
