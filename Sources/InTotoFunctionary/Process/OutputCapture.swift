internal import CSupport
internal import Dispatch
internal import InTotoCrypto

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Reads one output stream of the command to its end, passes every byte on at once, and keeps what evidence needs.
///
/// Each stream has a thread of its own, so that a slow reader of one never holds up the other. Memory is bounded:
/// beyond its limits the middle is dropped, while length and digest cover everything.
final class OutputCapture: @unchecked Sendable {  // used by one thread at a time: the queue's, and after `finish` ours
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
    private var passesOn = true
    private(set) var forwardingError: Int32?
    /// Bytes read so far.
    private var recorded = 0
    /// What the command's side of it is to hear where our reader has gone: nil, that the stream is closed.
    private let readerHasGone: (@Sendable () -> Void)?

    /// A pipe; `destination` is where bytes are passed on: 1, 2 or nowhere.
    convenience init(
        passingOnTo destination: Int32?, _ limits: RecordingLimits, _ masks: MaskList
    ) throws(LaunchError) {
        var pipe: [Int32] = [0, 0]
        let error = cs_capture_pipe(&pipe)
        guard error == 0 else { throw .runner(operation: "make a pipe", errno: error) }
        try self.init(readingEnd: pipe[0], writingEnd: pipe[1], destination: destination, limits, masks)
    }

    /// A terminal of the command's own, which is the relay's to close; `hangUp` is called where our reader has gone.
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
        _ readerHasGone: (@Sendable () -> Void)? = nil
    ) throws(LaunchError) {
        var stop: [Int32] = [0, 0]
        let error = cs_capture_pipe(&stop)
        guard error == 0 else { throw .runner(operation: "make a pipe", errno: error) }
        self.readingEnd = readingEnd
        self.writingEnd = writingEnd
        self.stop = (stop[0], stop[1])
        self.destination = destination
        self.readerHasGone = readerHasGone
        redactor = StreamRedactor(masks: masks)
        do { recording = try StreamRecording(limits) } catch { throw .runner(operation: error.description, errno: 0) }
    }

    /// Starts reading.
    func start() throws(LaunchError) {
        try BackgroundThread.start { [self] in
            readUntilStopped()
            // At once: where our reader has gone, the command shall see that with its next byte.
            if !isTerminal { close(readingEnd) }
            done.signal()
        }
        isStarted = true
    }

    /// To be called when the command has its end.
    func commandHasIt() { close(writingEnd) }

    /// In the place of `commandHasIt` and `finish`, where there will be no command.
    func giveUp() {
        close(writingEnd)
        if isStarted { done.wait() } else if !isTerminal { close(readingEnd) }
        close(stop.writing)
        close(stop.reading)
    }

    /// Takes what the command has still written, and no more: a process that it left behind may hold the pipe for long.
    func finish() throws(CryptoError) -> RecordedStream {
        close(stop.writing)
        done.wait()
        close(stop.reading)
        redactor.finish { recording.append($0) }
        return try recording.finish(redactions: redactor.count)
    }

    private func readUntilStopped() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !waitForBytes() {
            guard take(&buffer, atMost: buffer.count) else { return }
        }
        // The command has ended: what stands in the pipe now is its own. A process that it left behind may go on
        // writing for ever, but not into this count.
        var left = isTerminal ? Self.terminalCapacity : Int(cs_available(readingEnd))
        while left > 0, !isTerminal || holdsMore {
            let before = recorded
            guard take(&buffer, atMost: min(left, buffer.count)), recorded > before else { return }
            left -= recorded - before
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

    private var isTerminal: Bool { readerHasGone != nil }

    /// Reads once and deals with what came; false at the end of the stream and where nobody wants more of it.
    private func take(_ buffer: inout [UInt8], atMost limit: Int) -> Bool {
        let count = read(readingEnd, &buffer, limit)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        recorded += count
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

    /// False where the reader of our output has gone: the command shall see that as it would without us.
    private func passOn(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard passesOn, let destination else { return true }
        let failure = bytes.withUnsafeBytes { buffer -> Int32? in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = write(destination, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
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
        guard let failure else { return true }
        forwardingError = failure
        passesOn = false
        guard failure == EPIPE else { return true }
        readerHasGone?()
        return readerHasGone != nil
    }
}
