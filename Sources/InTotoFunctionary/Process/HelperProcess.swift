internal import CSupport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A program that helps us sign: bytes go in, bytes come out; what it has to say goes where our own messages go.
enum HelperProcess {
    /// Far more than any signature or key.
    static let outputLimit = 64 << 10

    /// Runs the program and returns its output. It may take as long as it likes: a person may have to touch a token.
    ///
    /// Must be called on the main thread, with which the program ends. What it leaves behind, such as an agent, is no
    /// process of the step.
    static func run(
        _ arguments: [[UInt8]], environment: [[UInt8]], input: [UInt8]
    ) throws(HelperError) -> [UInt8] {
        let command = Command(arguments: arguments, environment: environment)
        let exchange: Exchange
        do {
            cs_adopt_orphans(0)
            defer { cs_adopt_orphans(1) }
            exchange = try start(command)
            exchange.run(input)
        } catch { throw .launch(error) }
        guard !exchange.wroteTooMuch else { throw .tooMuchOutput(limit: outputLimit) }
        guard exchange.child.termination == .exited(0) else { throw .ended(exchange.child.termination) }
        return exchange.output
    }

    private static func start(_ command: Command) throws(LaunchError) -> Exchange {
        let program = try ProgramLookup.resolve(command)
        let input = try Pipe(cs_feed_pipe)
        let output = try Pipe(cs_capture_pipe)
        let child = try ChildProcess()
        var descriptors = CommandDescriptors()
        descriptors.input = input.reading
        descriptors.output = output.writing
        descriptors.inheritsOthers = false
        try child.execute(command, program: program, with: descriptors)
        input.closeReading()
        output.closeWriting()
        return Exchange(child: child, to: input, from: output)
    }
}

/// Why a helper was of no help.
public enum HelperError: Error, Hashable {
    case launch(LaunchError)
    case ended(Termination)
    case tooMuchOutput(limit: Int)
}

/// Feeds a helper and hears it out, both at once, so that neither can block the other.
private final class Exchange {
    let child: ChildProcess
    private let to: Pipe
    private let from: Pipe
    private(set) var output: [UInt8] = []
    private(set) var wroteTooMuch = false

    init(child: ChildProcess, to: Pipe, from: Pipe) {
        self.child = child
        self.to = to
        self.from = from
    }

    func run(_ input: [UInt8]) {
        var rest = input[...]
        while true {
            if rest.isEmpty { to.closeWriting() }
            var events = [
                pollfd(fd: child.ended, events: Int16(POLLIN), revents: 0),
                pollfd(fd: from.reading, events: Int16(POLLIN), revents: 0),
                pollfd(fd: to.writing, events: Int16(POLLOUT), revents: 0),
            ]
            let isGone = child.isGone
            poll(&events, 3, isGone || from.reading < 0 ? 50 : 1000)
            if events[2].revents != 0 { feed(&rest) }
            if events[1].revents != 0 { hear() }
            if wroteTooMuch { kill(child.processID, SIGKILL) }
            if events[0].revents != 0 || (isGone && child.hasEndedUntold()) { break }
        }
        // What it wrote last may still be in the pipe; an agent that it left behind may hold that open.
        while from.reading >= 0, cs_available(from.reading) > 0, !wroteTooMuch { hear() }
    }

    /// A helper that does not want its input need not take it.
    private func feed(_ rest: inout ArraySlice<UInt8>) {
        let count = rest.withUnsafeBytes { write(to.writing, $0.baseAddress, $0.count) }
        if count > 0 { rest = rest.dropFirst(count) } else if errno != EAGAIN && errno != EINTR { rest = [] }
    }

    private func hear() {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(from.reading, &buffer, buffer.count)
        if count > 0 {
            output += buffer[..<count]
            if output.count > HelperProcess.outputLimit {
                wroteTooMuch = true
                from.closeReading()
            }
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            from.closeReading()
        }
    }
}

/// Two ends, each closed once; -1 afterwards, which `poll` passes over.
private final class Pipe {
    private(set) var reading: Int32
    private(set) var writing: Int32

    init(_ make: (UnsafeMutablePointer<Int32>) -> Int32) throws(LaunchError) {
        var ends: [Int32] = [-1, -1]
        let error = make(&ends)
        guard error == 0 else { throw .runner(operation: "make a pipe", errno: error) }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        closeReading()
        closeWriting()
    }

    func closeReading() { Self.close(&reading) }

    func closeWriting() { Self.close(&writing) }

    private static func close(_ end: inout Int32) {
        if end >= 0 { systemClose(end) }
        end = -1
    }
}

/// The system's `close`, which a method of the same name hides.
private func systemClose(_ descriptor: Int32) { close(descriptor) }
