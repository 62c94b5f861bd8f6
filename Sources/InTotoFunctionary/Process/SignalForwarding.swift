internal import CSupport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Signals that reach the runner while the command runs: the command gets those that it does not have already.
///
/// What the terminal sends (Ctrl-C, Ctrl-\) goes to the whole foreground group, and the command is in ours; what
/// somebody sends to us alone is passed on. The evidence is written in every case.
struct SignalForwarding {
    /// Readable when a signal came.
    let descriptor: Int32

    init() throws(LaunchError) {
        descriptor = cs_watch_signals()
        guard descriptor >= 0 else { throw .runner(operation: "watch signals", errno: -descriptor) }
    }

    /// Takes the signals that came and sends them on to `processID`.
    func forward(to processID: Int32) {
        var event = cs_signal()
        while read(descriptor, &event, MemoryLayout<cs_signal>.size) == MemoryLayout<cs_signal>.size {
            if event.from_terminal == 0 { kill(processID, event.number) }
        }
    }
}
