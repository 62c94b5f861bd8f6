internal import CSupport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What the signals that came ask for.
struct EndRequests {
    /// SIGTERM, SIGHUP, SIGINT or SIGQUIT.
    var came = false
    /// One of them was sent to us, and not by a terminal or the command to our whole process group.
    var areForUs = false
}

/// How far the command was when the signals came that are dealt with, as far as that is known.
enum CommandProgress: Hashable {
    /// Its process is there and holds signals back. Some came before it was in our process group, and have not reached it.
    case starting(Int32)
    case running(Int32)
    /// Its end was just noticed: it may have had them.
    case ending
    case ended

    /// Nil once it has ended: another process may have its number.
    var processID: Int32? {
        switch self {
        case .starting(let process), .running(let process): process
        case .ending, .ended: nil
        }
    }

    var isStarting: Bool { if case .starting = self { true } else { false } }
}

/// Signals that reach the runner while the command runs: the command gets those that it does not have already.
///
/// What the terminal sends (Ctrl-C, Ctrl-\) goes to the whole foreground group, and the command is in ours; what
/// somebody sends to us alone is passed on: requests to end to every process of the command, others, which would end
/// processes that know nothing of them, to the command alone. A stop is the command's to obey or not: once it has
/// stopped, so do we, so that a shell which then takes the terminal finds nobody at it.
struct SignalForwarding {
    /// Readable when a signal came.
    let descriptor: Int32
    /// The command's own, which follows ours.
    var terminal: TerminalRelay?
    /// Whether what the terminal sends to our group reaches the command, too; not where it has a session of its own.
    var commandIsInOurSession = true

    init() throws(LaunchError) {
        descriptor = cs_watch_signals()
        guard descriptor >= 0 else { throw .runner(operation: "watch signals", errno: -descriptor) }
    }

    /// Takes the signals that came and deals with each. Where we stop with the command, then no longer than until
    /// `deadline`.
    @discardableResult
    func handle(_ progress: CommandProgress, until deadline: ContinuousClock.Instant?) -> EndRequests {
        let (command, isEarly) = (progress.processID, progress.isStarting)
        var event = cs_signal()
        var requests = EndRequests()
        while read(descriptor, &event, MemoryLayout<cs_signal>.size) == MemoryLayout<cs_signal>.size {
            let isRequest = [SIGTERM, SIGHUP, SIGINT, SIGQUIT].contains(event.number)
            requests.came = requests.came || isRequest
            let isForAll = event.is_from_kernel != 0 || event.is_from_command != 0
            requests.areForUs = requests.areForUs || (isRequest && !isForAll)
            // By hand, or since somebody in our group wants a terminal in whose background that is.
            let isStop = [SIGTSTP, SIGTTIN, SIGTTOU].contains(event.number)
            switch event.number {
            case SIGCHLD: childChanged(command, deadline)
            // In our process group, the command has had it too.
            case SIGWINCH: terminal?.windowChanged()
            case SIGCONT: terminal?.resume()
            case _ where isStop && progress == .ending && isForAll && commandHasIt: continue
            case _ where isStop && command == nil: pausingTerminal { cs_stop_as_asked() }
            case SIGXCPU where event.is_from_kernel != 0: continue
            case _ where event.is_for_tree != 0 && !isEarly: continue
            case _ where event.is_from_command != 0 && commandHasIt: continue
            case _ where event.is_from_kernel != 0 && commandHasIt && !isEarly: continue
            case _ where isStop && !commandIsInOurSession: if let command { stop(command, isEarly: isEarly) }
            case _ where isRequest: ProcessTree.signal(event.number)
            default: if let command { kill(command, event.number) }
            }
        }
        return requests
    }

    /// What holds signals back until it has become the command would not be stopped by one.
    private func stop(_ command: Int32, isEarly: Bool) {
        guard isEarly else { return ProcessTree.stop(group: command) }
        let isBlocked = cs_startup_state().pointee.blocked & 1 << UInt64(SIGTSTP - 1) != 0
        if !isBlocked { kill(command, SIGSTOP) }
    }

    /// Without a number for our group (CSupport/trampoline.c), the command is not in it.
    private var commandHasIt: Bool { commandIsInOurSession && getpgrp() != 0 }

    /// A command that stops itself shall look stopped to a shell, which sees only us: we stop, too, and once continued
    /// continue it.
    private func childChanged(_ command: Int32?, _ deadline: ContinuousClock.Instant?) {
        cs_reap_orphans(command ?? 0)
        guard let command, cs_stopped_by(command) != 0, ProcessTree.isStopped(command) else { return }
        pausingTerminal { cs_stop_with(command, commandIsInOurSession ? 0 : 1, Int64(deadline.pollMilliseconds)) }
    }

    private func pausingTerminal(_ stop: () -> Void) {
        terminal?.pause()
        stop()
        terminal?.resume()
    }
}
