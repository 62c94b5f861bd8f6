internal import CSupport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// How long a command may take, and what it may leave behind.
public struct CommandLimits: Sendable {
    /// Nil: as long as it likes.
    public var timeout: Duration?
    /// Between the request to end and the end by force.
    public var grace = Duration.seconds(10)
    /// How long processes that outlive the command are waited for.
    public var backgroundWait = Duration.zero
    /// What is still there then is ended by force, instead of being named.
    public var endsLeftovers = false
    /// Whoever asks us to end (SIGTERM, SIGHUP, SIGINT, SIGQUIT) while the command runs, ends its processes by force, and
    /// then us: nothing that is known by then is worth keeping.
    public var endsUsWhenAsked = false

    public init() {}
}

/// Watches a command until it has ended.
struct Supervision {
    let child: ChildProcess
    let signals: SignalForwarding
    let limits: CommandLimits
    /// When the command has taken `limits.timeout`: counted from when it was asked for, as it may stop itself at once.
    let deadline: ContinuousClock.Instant?

    struct Outcome {
        var hasTimedOut = false
        /// By somebody who sent a request to us; what a terminal sends goes to a reader of our output, too.
        var wasAskedToEnd = false
        /// Processes of the command that are still there.
        var background: [DescendantProcess] = []
    }

    func wait() -> Outcome {
        var outcome = Outcome()
        while true {
            if limits.endsUsWhenAsked && cs_asked_to_end() != 0 {
                endByForce()
                break
            }
            let news = awaitNews(until: deadline)
            outcome.wasAskedToEnd = outcome.wasAskedToEnd || news.requests.areForUs
            if news.hasEnded { break }
            guard let deadline, ContinuousClock.now >= deadline else { continue }
            outcome.hasTimedOut = true
            endByForce()
            break
        }
        if outcome.hasTimedOut {
            outcome.background = ProcessTree.descendants()
        } else {
            let (living, requests) = waitForBackground()
            outcome.background = living
            outcome.wasAskedToEnd = outcome.wasAskedToEnd || requests.came
        }
        if limits.endsLeftovers && !outcome.background.isEmpty { killAll() }
        return outcome
    }

    /// A request to end goes to what is left, and ends the wait: what heeds it shall not be listed, though.
    private func waitForBackground() -> (living: [DescendantProcess], EndRequests) {
        let deadline = ContinuousClock.now + limits.backgroundWait
        let (living, requests) = waitForTree(until: deadline, orRequest: true)
        guard requests.came else { return (living, requests) }
        return (waitForTree(until: min(deadline, ContinuousClock.now + .milliseconds(500))).living, requests)
    }

    /// Waits until no process of the command is left, `deadline` has come, or, where that is to end it, a request to end;
    /// signals are dealt with meanwhile. Returns those that are left.
    private func waitForTree(
        until deadline: ContinuousClock.Instant, orRequest endsAtRequest: Bool = false
    ) -> (living: [DescendantProcess], EndRequests) {
        while true {
            let living = ProcessTree.descendants()
            guard !living.isEmpty, ContinuousClock.now < deadline else { return (living, EndRequests()) }
            ProcessTree.awaitEnd(ofOneOf: living, or: signals.descriptor, until: deadline)
            let requests = signals.handle(progress(), until: deadline)
            if endsAtRequest && requests.came { return (living, requests) }
        }
    }

    /// How far it is, whose end may be noticed here first.
    private func progress() -> CommandProgress {
        if child.endIsTaken { return .ended }
        var event = pollfd(fd: child.ended, events: Int16(POLLIN), revents: 0)
        poll(&event, 1, 0)
        if event.revents == 0 { return .running(child.processID) }
        child.takeEnd()
        return .ending
    }

    /// Waits for the command's end, a signal or `deadline`, whichever comes first.
    private func awaitNews(until deadline: ContinuousClock.Instant?) -> (hasEnded: Bool, requests: EndRequests) {
        var events = [
            pollfd(fd: child.ended, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // Gone already, it needs no more than to be told of. Otherwise somebody looks now and then, should news be lost.
        let isGone = child.isGone
        let left = deadline.pollMilliseconds
        let limit: Int32 = isGone ? 50 : 1000
        poll(&events, 2, left < 0 ? limit : min(left, limit))
        let hasEnded = events[0].revents != 0 || (isGone && child.hasEndedUntold())
        if hasEnded { child.takeEnd() }
        guard events[1].revents != 0 else { return (hasEnded, EndRequests()) }
        return (hasEnded, signals.handle(hasEnded ? .ending : .running(child.processID), until: deadline))
    }

    private func killAll() {
        // A process may have been started while the list was made; each round leaves fewer that could start more.
        for _ in 0..<200 {
            ProcessTree.signal(SIGKILL)
            if waitForTree(until: ContinuousClock.now + .milliseconds(50)).living.isEmpty { break }
        }
    }

    /// Asks every process of the command to end, then ends those that have not after the time of grace.
    private func endByForce() {
        ProcessTree.signal(SIGTERM)
        // A stopped process hears nothing until it goes on.
        ProcessTree.signal(SIGCONT)
        _ = waitForTree(until: ContinuousClock.now + limits.grace)
        killAll()
        while !awaitNews(until: nil).hasEnded {}
    }
}
