internal import CSupport
internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A terminal of the command's own (`--pty`): what is typed goes there, and its window is as large as ours.
///
/// The command keeps its colours and line discipline while its output is recorded; both streams are one, in exact
/// order. Our own terminal, where there is one, is raw while the command runs in its foreground: Ctrl-C and Ctrl-Z are the
/// command's terminal's matter.
final class TerminalRelay: @unchecked Sendable {  // immutable after `init`, but for `isRaw` behind its lock
    /// Read for output, written for input.
    let controlling: Int32
    /// Given to the command, as 0, 1 and 2.
    let forCommand: Int32
    private let stop: (reading: Int32, writing: Int32)
    private let done = DispatchSemaphore(value: 0)
    /// Whether our terminal is, as it should be while the command runs; the input thread finds us back in the foreground
    /// where no signal says so. Nil where our input is no terminal.
    private let isRaw: Mutex<Bool?>
    /// Ours, whose settings and size the command's has; -1: there is none.
    private let model: Int32

    init() throws(LaunchError) {
        var terminal: [Int32] = [0, 0]
        model = cs_own_terminal()
        // A log file is to have no carriage returns; on a terminal, the command's own terminal adds them.
        let error = cs_open_terminal(&terminal, model, isatty(1))
        guard error == 0 else { throw .runner(operation: "open a terminal", errno: error) }
        var stop: [Int32] = [0, 0]
        let stopError = cs_capture_pipe(&stop)
        guard stopError == 0 else { throw .runner(operation: "make a pipe", errno: stopError) }
        controlling = terminal[0]
        forCommand = terminal[1]
        self.stop = (stop[0], stop[1])
        isRaw = Mutex(isatty(0) == 1 ? cs_in_foreground(0) != 0 && cs_make_terminal_raw(0) == 0 : nil)
    }

    /// Starts passing input on to `command`.
    func start(for command: Int32) throws(LaunchError) {
        do {
            try BackgroundThread.start { [self] in
                passInputOn(to: command)
                done.signal()
            }
        } catch {
            done.signal()
            throw error
        }
    }

    /// Stops passing input on and makes our terminal as it was.
    func finish() {
        close(stop.writing)
        // Somebody else may have read what there was for us; then it waits for more.
        if done.wait(timeout: .now() + 1) == .success { close(stop.reading) }
        pause()
    }

    /// When nobody reads from it any more.
    deinit {
        pause()
        close(controlling)
        if model > 2 { close(model) }
    }

    /// What a terminal does that is closed: the command gets SIGHUP, and whoever goes on writing to it an error. For the
    /// other threads the descriptor stays, with nothing behind it.
    func hangUp(on command: Int32) {
        // Before its next write fails, so that what it ends of does not depend on which comes first.
        kill(command, SIGHUP)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard nothing >= 0 else { return }
        dup2(nothing, controlling)
        _ = fcntl(controlling, F_SETFD, FD_CLOEXEC)
        close(nothing)
    }

    func windowChanged() { cs_copy_window_size(model, controlling) }

    /// Makes our terminal as it was, for whoever has it while we are stopped.
    func pause() {
        isRaw.withLock { isRaw in
            if isRaw == true { cs_restore_terminal() }
            isRaw = isRaw.map { _ in false }
        }
    }

    /// Takes our terminal again where we are in its foreground.
    func resume() {
        isRaw.withLock { isRaw in
            if isRaw != nil, cs_in_foreground(0) != 0 { isRaw = cs_make_terminal_raw(0) == 0 }
        }
        windowChanged()
    }

    private func passInputOn(to command: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var lastByte = UInt8(ascii: "\n")
        while waitForInput() {
            let count = read(0, &buffer, buffer.count)
            // In the background, a thread that leaves signals to others gets an error in their place.
            if count < 0 && (errno == EINTR || errno == EAGAIN || cs_in_foreground(0) == 0) { continue }
            guard count > 0 else { return endInput(after: lastByte) }
            lastByte = buffer[count - 1]
            guard write(buffer[..<count]) else { return }
            if let stop = UInt8(exactly: cs_terminal_stop(controlling)), buffer[..<count].contains(stop),
                tcgetpgrp(controlling) == command
            {
                ProcessTree.stop(group: command)
            }
        }
    }

    /// The end of a file or pipe: what Ctrl-D says on a terminal, twice within a line, where once only sends what was
    /// typed of it.
    private func endInput(after lastByte: UInt8) {
        guard let end = UInt8(exactly: cs_terminal_end_of_input(controlling)) else { return }
        _ = write(lastByte == UInt8(ascii: "\n") ? [end] : [end, end])
    }

    /// True where there is input; false where the command has ended. In the background, input is not for us.
    private func waitForInput() -> Bool {
        var wasAway = false
        while true {
            let isHere = cs_in_foreground(0) != 0
            if isHere && wasAway { resume() }
            wasAway = !isHere
            var events = [
                pollfd(fd: stop.reading, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isHere ? 0 : -1, events: Int16(POLLIN), revents: 0),
            ]
            poll(&events, 2, isHere ? -1 : 200)
            if events[0].revents != 0 { return false }
            // Stopped meanwhile, we may be in the background by now.
            if events[1].revents != 0, cs_in_foreground(0) != 0 { return true }
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.write(controlling, $0) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var events = [
                    pollfd(fd: stop.reading, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: controlling, events: Int16(POLLOUT), revents: 0),
                ]
                // Not for ever: the terminal is not closed while it is waited for.
                poll(&events, 2, 200)
                if events[0].revents != 0 { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// The system's, which a method of the same name hides.
    private static func write(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #else
            Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}
