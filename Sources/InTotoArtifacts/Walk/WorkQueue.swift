import Dispatch
import Synchronization

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Work for several threads: the heaviest first, so that no thread is left with it in the end; of the rest, what was
/// found last is done first, which keeps few directories waiting; what was put off comes after everything else.
///
/// Done when nothing waits and nobody works, since only work makes work; or once it is given up.
final class WorkQueue<Job: Sendable>: Sendable {
    private struct State {
        var jobs: [Job]
        /// Lightest first.
        var heavy: [(weight: Int64, job: Job)] = []
        /// Soonest first.
        var putOff: [(due: ContinuousClock.Instant, job: Job)] = []
        var running = 0
        var sleepers = 0
        var isDone = false
        var isGivenUp = false

        mutating func next() -> Job? {
            if let job = heavy.popLast()?.job ?? jobs.popLast() { return job }
            guard let first = putOff.first, first.due <= .now else { return nil }
            return putOff.removeFirst().job
        }
    }

    private enum Turn {
        case sleep
        case again(at: ContinuousClock.Instant)
        case end(waking: Int)
    }

    private let state: Mutex<State>
    private let wakeUp = DispatchSemaphore(value: 0)

    init(_ jobs: [Job]) { state = Mutex(State(jobs: jobs)) }

    func push(_ job: Job) {
        add { $0.jobs.append(job) }
    }

    /// Adds work that is known to be much: `weight` compares it with other such work.
    func push(_ job: Job, weight: Int64) {
        add { state in
            let place = state.heavy.firstIndex { $0.weight > weight } ?? state.heavy.endIndex
            state.heavy.insert((weight, job), at: place)
        }
    }

    /// Adds work that is to be left alone for a while, and then done when nothing else waits.
    func push(_ job: Job, after delay: Duration) {
        let due = ContinuousClock.now + delay
        add { state in
            let place = state.putOff.firstIndex { $0.due > due } ?? state.putOff.endIndex
            state.putOff.insert((due, job), at: place)
        }
    }

    /// Drops what waits, and what will be added; who works on something has to end that.
    func giveUp() {
        state.withLock { state in
            state.isGivenUp = true
            state.jobs = []
            state.heavy = []
            state.putOff = []
        }
    }

    var isGivenUp: Bool { state.withLock { $0.isGivenUp } }

    private func add(_ change: (inout State) -> Void) {
        let wakes = state.withLock { state in
            guard !state.isGivenUp else { return false }
            change(&state)
            guard state.sleepers > 0 else { return false }
            state.sleepers -= 1
            return true
        }
        if wakes { wakeUp.signal() }
    }

    /// Works until nothing is left anywhere. To be called by each of the threads.
    ///
    /// `rest` is asked when no job waits: it does a little of what this thread has left over from former jobs, and
    /// returns false where that is nothing.
    func work(_ body: (Job) -> Void, rest: () -> Bool) {
        state.withLock { $0.running += 1 }
        while true {
            if let job = state.withLock({ $0.next() }) {
                body(job)
            } else if !rest(), !wait() {
                return
            }
        }
    }

    /// Waits while others may still find work; false when there will be no more.
    private func wait() -> Bool {
        let turn: Turn = state.withLock { state in
            if !state.heavy.isEmpty || !state.jobs.isEmpty { return .again(at: .now) }
            // Who waits for the time to come still counts as working, so that nobody ends.
            if let first = state.putOff.first { return .again(at: first.due) }
            state.running -= 1
            if state.running > 0 {
                state.sleepers += 1
                return .sleep
            }
            state.isDone = true
            return .end(waking: state.sleepers)
        }
        switch turn {
        case .again(let due):
            let pause = ContinuousClock.now.duration(to: due)
            if pause > .zero { usleep(UInt32(min(pause, longestPause) / .microseconds(1))) }
            return true
        case .end(let sleepers):
            for _ in 0..<sleepers { wakeUp.signal() }
            return false
        case .sleep:
            wakeUp.wait()
            return state.withLock { state in
                if !state.isDone { state.running += 1 }
                return !state.isDone
            }
        }
    }
}

/// Until a thread that waits for what was put off looks for other work.
private let longestPause = Duration.milliseconds(10)
