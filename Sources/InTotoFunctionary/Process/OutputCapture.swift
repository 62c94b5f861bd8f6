internal import CSupport
internal import Dispatch
internal import InTotoCrypto
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Reads one output stream of the command to its end, passes every byte on at once, and keeps what evidence needs.
///
/// Each stream has a thread of its own, so that a slow reader of one never holds up the other. Memory is bounded:
/// beyond its limits the middle is dropped, while length and digest cover everything.
///
/// A reader of ours that has stopped reading holds the command up, as it would without us, but not its end: once that was
/// forced or asked for (`cs_hurry`), the rest is recorded and no longer passed on.
final class OutputCapture: @unchecked Sendable {  // used by one thread at a time, as `turn` says
    /// Given to the command; closed here once it has it.
    let writingEnd: Int32
    private let readingEnd: Int32
    /// Nil: nobody sees it live.
    private let destination: Int32?
    private let stop: (reading: Int32, writing: Int32)
    private let done = DispatchSemaphore(value: 0)
    private var redactor: StreamRedactor
    private var recording: StreamRecording
    private var isStarted = false
    private let turn = Mutex(Turn.recording)
    private var passesOn = true
    /// To be asked for after `finish`.
    private(set) var loss: OutputLoss?
    /// Bytes that are still to be read, once the command has ended.
    private var left: Int?
    /// Closes the command's side of a terminal; nil: this is a pipe, which is closed here.
    private let hangUp: (@Sendable () -> Void)?

    /// What the thread of the stream does, and who may touch what is recorded.
    private enum Turn {
        case recording
        /// It waits for our reader, and touches nothing.
        case passingOn
        /// It records, and passes nothing on any more.
        case onlyRecording
        /// It still waits for our reader, and must never touch anything again: whoever calls `finish` does the rest.
        case takenOver
    }

    /// A pipe; `destination` is where bytes are passed on: 1, 2 or nowhere.
    convenience init(
        passingOnTo destination: Int32?, _ limits: RecordingLimits, _ masks: MaskList
    ) throws(LaunchError) {
        var pipe: [Int32] = [0, 0]
        let error = cs_capture_pipe(&pipe)
        guard error == 0 else { throw .runner(operation: "make a pipe", errno: error) }
        try self.init(readingEnd: pipe[0], writingEnd: pipe[1], destination: destination, limits, masks)
    }

    /// A terminal of the command's own, which is the relay's to close; `hangUp` is called where nothing can be passed on.
    convenience init(
        _ terminal: TerminalRelay, _ limits: RecordingLimits, _ masks: MaskList,
        hangUp: @escaping @Sendable () -> Void
    ) throws(LaunchError) {
        try self.init(
            readingEnd: terminal.controlling, writingEnd: terminal.forCommand, destination: 1, limits, masks,
            hangUp)
    }

    private init(
        readingEnd: Int32, writingEnd: Int32, destination: Int32?, _ limits: RecordingLimits, _ masks: MaskList,
        _ hangUp: (@Sendable () -> Void)? = nil
    ) throws(LaunchError) {
        var stop: [Int32] = [0, 0]
        let error = cs_capture_pipe(&stop)
        guard error == 0 else { throw .runner(operation: "make a pipe", errno: error) }
        self.readingEnd = readingEnd
        self.writingEnd = writingEnd
        self.stop = (stop[0], stop[1])
        self.destination = destination
        self.hangUp = hangUp
        redactor = StreamRedactor(masks: masks)
        do { recording = try StreamRecording(limits) } catch { throw .runner(operation: error.description, errno: 0) }
    }

    /// Starts reading.
    func start() throws(LaunchError) {
        try BackgroundThread.start { [self] in
            readUntilStopped()
            guard turn.withLock({ $0 != .takenOver }) else { return }
            closeReadingEnd()
            done.signal()
        }
        isStarted = true
    }

    /// To be called when the command has its end.
    func commandHasIt() { close(writingEnd) }

    /// In the place of `commandHasIt` and `finish`, where there will be no command.
    func giveUp() {
        close(writingEnd)
        if isStarted { done.wait() } else { closeReadingEnd() }
        close(stop.writing)
        close(stop.reading)
    }

    /// Takes what the command has still written, and no more: a process that it left behind may hold the pipe for long.
    func finish() throws(CryptoError) -> RecordedStream {
        close(stop.writing)
        awaitThread()
        close(stop.reading)
        redactor.finish { recording.append($0) }
        return try recording.finish(redactions: redactor.count)
    }

    /// At once: where nothing can be passed on, the command shall see that with its next byte.
    private func closeReadingEnd() { if !isTerminal { close(readingEnd) } }

    /// Waits until the thread has done its work. Where it waits itself, for a reader that we are not to wait for any
    /// longer, it is left there, and the rest is recorded here.
    private func awaitThread() {
        while true {
            let patience = cs_patience()
            let wait = patience < 0 ? 50 : min(50, patience)
            if done.wait(timeout: .now() + .milliseconds(Int(wait))) == .success { return }
            guard patience == 0 else { continue }
            let isTakenOver = turn.withLock { turn in
                if turn == .recording { turn = .onlyRecording }
                if turn == .passingOn { turn = .takenOver }
                return turn == .takenOver
            }
            guard isTakenOver else { return done.wait() }
            loss = .readerTakesNothing
            passesOn = false
            readUntilStopped()
            return closeReadingEnd()
        }
    }

    private func readUntilStopped() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while left == nil, !waitForBytes() {
            guard take(&buffer, atMost: buffer.count) else { return }
        }
        // The command has ended: what stands in the pipe now is its own. A process that it left behind may go on
        // writing for ever, but not into this count.
        left = left ?? (isTerminal ? Self.terminalCapacity : Int(cs_available(readingEnd)))
        while let rest = left, rest > 0, !isTerminal || holdsMore {
            guard take(&buffer, atMost: min(rest, buffer.count)), left != rest else { return }
        }
    }

    /// A terminal counts only what its line discipline holds, at most 4 KiB; being polled, it moves up what is behind.
    private var holdsMore: Bool {
        var event = pollfd(fd: readingEnd, events: Int16(POLLIN), revents: 0)
        poll(&event, 1, 0)
        return event.revents & Int16(POLLIN) != 0
    }

    /// More than a terminal of Linux holds, in bytes: 64 KiB, and what was begun before that limit was met.
    private static let terminalCapacity = 128 << 10

    private var isTerminal: Bool { hangUp != nil }

    /// Reads once and deals with what came; false at the end of the stream, where nobody wants more of it, and where this
    /// is no longer the thread's.
    private func take(_ buffer: inout [UInt8], atMost limit: Int) -> Bool {
        let count = read(readingEnd, &buffer, limit)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        left = left.map { $0 - count }
        redactor.append(buffer[..<count]) { recording.append($0) }
        return passOn(buffer[..<count])
    }

    /// Waits until there is something to read; true where the command has ended.
    private func waitForBytes() -> Bool {
        var events = [
            pollfd(fd: readingEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop.reading, events: Int16(POLLIN), revents: 0),
        ]
        poll(&events, 2, -1)
        return events[1].revents != 0
    }

    /// False where nothing can be passed on any more, which the command shall see as it would without us; and where this
    /// is no longer the thread's.
    private func passOn(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard passesOn, let destination else { return true }
        let isWanted = turn.withLock { turn in
            if turn == .recording { turn = .passingOn }
            return turn == .passingOn
        }
        guard isWanted else {
            loss = .readerTakesNothing
            passesOn = false
            return true
        }
        let failure = Self.write(bytes, to: destination)
        let isOurs = turn.withLock { turn in
            if turn == .passingOn { turn = .recording }
            return turn == .recording
        }
        guard isOurs else { return false }
        guard let failure else { return true }
        passesOn = false
        // A terminal that hung up: the command has been told, and one that goes on all the same shall.
        let goesOn = failure == EIO
        if failure != EPIPE { loss = .failure(errno: failure, isEndOfStream: !goesOn) }
        if !goesOn { hangUp?() }
        return goesOn
    }

    /// Returns what prevents it; nil where all was written.
    private static func write(_ bytes: ArraySlice<UInt8>, to destination: Int32) -> Int32? {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = systemWrite(destination, UnsafeRawBufferPointer(rebasing: rest))
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var event = pollfd(fd: destination, events: Int16(POLLOUT), revents: 0)
                    poll(&event, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return nil
        }
    }
}

/// Why a stream was not passed on to its end, though its reader was there.
enum OutputLoss: CustomStringConvertible {
    /// The command had its stream closed where that was the end of it.
    case failure(errno: Int32, isEndOfStream: Bool)
    /// It had stopped reading when the command's end was forced or asked for.
    case readerTakesNothing

    var description: String {
        switch self {
        case .failure(let errno, true):
            "could not be passed on, and was closed for the command: \(systemErrorText(errno))"
        case .failure(let errno, false): "could not be passed on: \(systemErrorText(errno))"
        case .readerTakesNothing: "was not passed on to its end: its reader takes nothing"
        }
    }
}

/// The system's `write`, which a method of the same name hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
