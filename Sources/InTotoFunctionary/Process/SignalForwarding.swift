internal import CSupport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Signals that reach the runner while the command runs: the command gets those that it does not have already.
///
/// What the terminal sends (Ctrl-C, Ctrl-\) goes to the whole foreground group, and the command is in ours; what
/// somebody sends to us alone is passed on: requests to end to every process of the command, others, which would end
/// processes that know nothing of them, to the command alone.
struct SignalForwarding {
    /// Readable when a signal came.
    let descriptor: Int32
    /// What to do where our window has changed its size.
    var windowChanged: () -> Void = {}
    /// Where the command is in a session of its own, the terminal's signals do not reach it.
    var commandSharesTerminal = true

    init() throws(LaunchError) {
        descriptor = cs_watch_signals()
        guard descriptor >= 0 else { throw .runner(operation: "watch signals", errno: -descriptor) }
    }

    /// Takes the signals that came and deals with each.
    func handle(for command: Int32) {
        var event = cs_signal()
        while read(descriptor, &event, MemoryLayout<cs_signal>.size) == MemoryLayout<cs_signal>.size {
            switch event.number {
            case SIGCHLD: childChanged(command)
            // In our process group, the command has had it too.
            case SIGWINCH: windowChanged()
            // Without a number for our group (CSupport/trampoline.c), the command is not in it.
            case _ where event.stays_with_us != 0 && getpgrp() != 0 && commandSharesTerminal: continue
            case SIGTERM, SIGHUP, SIGINT, SIGQUIT: ProcessTree.signal(event.number)
            default: kill(command, event.number)
            }
        }
    }

    /// A command that stops itself shall look stopped to a shell, which sees only us: we stop, too, and once continued
    /// continue it. What the terminal stops (Ctrl-Z) has stopped us already, and is running again by now.
    private func childChanged(_ command: Int32) {
        cs_reap_orphans(command)
        guard cs_stopped_by(command) != 0, ProcessTree.isStopped(command) else { return }
        cs_stop_with(command)
    }
}
