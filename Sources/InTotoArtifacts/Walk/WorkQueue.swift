import Dispatch
import Synchronization

/// Work for several threads: the heaviest first, so that no thread is left with it in the end; of the rest, what was
/// found last is done first, which keeps few directories waiting.
///
/// Done when nothing waits and nobody works, since only work makes work.
final class WorkQueue<Job: Sendable>: Sendable {
    private struct State {
        var jobs: [Job]
        /// Lightest first.
        var heavy: [(weight: Int64, job: Job)] = []
        var running = 0
        var sleepers = 0
        var isDone = false

        var isEmpty: Bool { jobs.isEmpty && heavy.isEmpty }
    }

    private enum Turn {
        case again, sleep
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

    private func add(_ change: (inout State) -> Void) {
        let wakes = state.withLock { state in
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
            if let job = state.withLock({ $0.heavy.popLast()?.job ?? $0.jobs.popLast() }) {
                body(job)
            } else if !rest(), !wait() {
                return
            }
        }
    }

    /// Waits while others may still find work; false when there will be no more.
    private func wait() -> Bool {
        let turn: Turn = state.withLock { state in
            if !state.isEmpty { return .again }
            state.running -= 1
            if state.running > 0 {
                state.sleepers += 1
                return .sleep
            }
            state.isDone = true
            return .end(waking: state.sleepers)
        }
        switch turn {
        case .again: return true
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
