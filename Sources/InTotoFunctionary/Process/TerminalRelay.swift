internal import CSupport
internal import Dispatch

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A terminal of the command's own (`--pty`): what is typed goes there, and its window is as large as ours.
///
/// The command keeps its colours and line discipline while its output is recorded; both streams are one, in exact
/// order. Our own terminal, where there is one, is raw meanwhile: Ctrl-C and Ctrl-Z are the command's terminal's matter.
final class TerminalRelay: @unchecked Sendable {  // immutable after `init`; the input thread only reads
    /// Read for output, written for input.
    let controlling: Int32
    /// Given to the command, as 0, 1 and 2.
    let forCommand: Int32
    private let stop: (reading: Int32, writing: Int32)
    private let done = DispatchSemaphore(value: 0)
    private let isRaw: Bool
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
        isRaw = isatty(0) == 1 && cs_make_terminal_raw(0) == 0
    }

    /// Starts passing input on.
    func start() {
        DispatchQueue(label: "input").async { [self] in
            passInputOn()
            done.signal()
        }
    }

    /// Stops passing input on and makes our terminal as it was.
    func finish() {
        close(stop.writing)
        done.wait()
        close(stop.reading)
        if isRaw { cs_restore_terminal() }
    }

    /// When nobody reads from it any more.
    deinit {
        close(controlling)
        if model > 2 { close(model) }
    }

    /// In the place of `start` and `finish`, where the command could not be started.
    func finishUnused() {
        done.signal()
        finish()
    }

    func windowChanged() { cs_copy_window_size(model, controlling) }

    private func passInputOn() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var lastByte = UInt8(ascii: "\n")
        while waitForInput() {
            let count = read(0, &buffer, buffer.count)
            if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard count > 0 else { return endInput(after: lastByte) }
            lastByte = buffer[count - 1]
            guard write(buffer[..<count]) else { return }
        }
    }

    /// The end of a file or pipe: what Ctrl-D says on a terminal, twice within a line, where once only sends what was
    /// typed of it.
    private func endInput(after lastByte: UInt8) {
        guard let end = UInt8(exactly: cs_terminal_end_of_input(controlling)) else { return }
        _ = write(lastByte == UInt8(ascii: "\n") ? [end] : [end, end])
    }

    /// True where there is input; false where the command has ended.
    private func waitForInput() -> Bool {
        var events = [
            pollfd(fd: stop.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&events, 2, -1) < 0 && errno == EINTR {}
        return events[0].revents == 0
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
                poll(&events, 2, -1)
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
