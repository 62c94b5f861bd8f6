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
    /// Whether what the terminal sends to our group reaches the command, too; not where it has a session of its own.
    var commandIsInOurSession = true

    init() throws(LaunchError) {
        descriptor = cs_watch_signals()
        guard descriptor >= 0 else { throw .runner(operation: "watch signals", errno: -descriptor) }
    }

    /// Takes the signals that came and deals with each; `command` is nil once that has ended. Returns whether one was a
    /// request to end. Where we stop with the command, then no longer than until `deadline`.
    @discardableResult
    func handle(for command: Int32?, until deadline: ContinuousClock.Instant?) -> Bool {
        var event = cs_signal()
        var isAskedToEnd = false
        while read(descriptor, &event, MemoryLayout<cs_signal>.size) == MemoryLayout<cs_signal>.size {
            let isRequest = [SIGTERM, SIGHUP, SIGINT, SIGQUIT].contains(event.number)
            isAskedToEnd = isAskedToEnd || isRequest
            switch event.number {
            case SIGCHLD: childChanged(command, deadline)
            // In our process group, the command has had it too.
            case SIGWINCH: windowChanged()
            case _ where event.stays_with_us != 0 && (event.number == SIGXCPU || commandHasIt): continue
            case _ where isRequest: ProcessTree.signal(event.number)
            default: if let command { kill(command, event.number) }
            }
        }
        return isAskedToEnd
    }

    /// Without a number for our group (CSupport/trampoline.c), the command is not in it.
    private var commandHasIt: Bool { commandIsInOurSession && getpgrp() != 0 }

    /// A command that stops itself shall look stopped to a shell, which sees only us: we stop, too, and once continued
    /// continue it. What the terminal stops (Ctrl-Z) has stopped us already, and is running again by now.
    private func childChanged(_ command: Int32?, _ deadline: ContinuousClock.Instant?) {
        cs_reap_orphans(command ?? 0)
        guard let command, cs_stopped_by(command) != 0, ProcessTree.isStopped(command) else { return }
        cs_stop_with(command, deadline.map { Int64(ContinuousClock.now.duration(to: $0).pollMilliseconds) } ?? -1)
    }
}
