import Dispatch
import Synchronization

/// Work for several threads: what was found last is done first, which keeps few directories waiting.
///
/// Done when nothing waits and nobody works, since only work makes work.
final class WorkQueue<Job: Sendable>: Sendable {
    private struct State {
        var jobs: [Job]
        var running = 0
        var sleepers = 0
    }

    private enum Turn {
        case job(Job)
        case sleep, end
    }

    private let state: Mutex<State>
    private let wakeUp = DispatchSemaphore(value: 0)

    init(_ jobs: [Job]) { state = Mutex(State(jobs: jobs)) }

    func push(_ job: Job) {
        let wakes = state.withLock { state in
            state.jobs.append(job)
            guard state.sleepers > 0 else { return false }
            state.sleepers -= 1
            return true
        }
        if wakes { wakeUp.signal() }
    }

    /// Works until nothing is left anywhere. To be called by each of the threads.
    func work(_ body: (Job) -> Void) {
        while let job = next() {
            body(job)
            finish()
        }
    }

    /// Waits while others may still find work; nil when there is no more.
    private func next() -> Job? {
        while true {
            let turn: Turn = state.withLock { state in
                if let job = state.jobs.popLast() {
                    state.running += 1
                    return .job(job)
                }
                if state.running == 0 { return .end }
                state.sleepers += 1
                return .sleep
            }
            switch turn {
            case .job(let job): return job
            case .end: return nil
            case .sleep: wakeUp.wait()
            }
        }
    }

    private func finish() {
        let woken = state.withLock { state in
            state.running -= 1
            guard state.running == 0, state.jobs.isEmpty else { return 0 }
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<woken { wakeUp.signal() }
    }
}
