import Dispatch
import Synchronization

/// Walks the roots with several threads; what comes out does not depend on which did what.
final class Walk: Sendable {
    let rules: WalkRules
    let roots: [WalkRoot]
    let filters: [GlobFilter]
    let report: @Sendable (SnapshotEvent) -> Void
    let budget: WalkBudget
    let queue: WorkQueue<WalkJob>
    let entries = Atomic<Int>(0)
    /// Those of `entries` that links lead to.
    let linkedEntries = Atomic<Int>(0)

    init(
        _ rules: WalkRules, _ starts: WalkStarts, _ budget: WalkBudget,
        _ report: @escaping @Sendable (SnapshotEvent) -> Void
    ) {
        self.rules = rules
        self.report = report
        self.budget = budget
        roots = starts.roots
        filters = starts.filters
        queue = WorkQueue(starts.jobs)
    }

    func run() -> Findings {
        let all = Mutex(Findings())
        DispatchQueue.concurrentPerform(iterations: budget.threads) { _ in
            let findings = WalkWorker(self).run()
            all.withLock { $0.append(findings) }
        }
        return all.withLock { $0 }
    }
}

/// How many threads, and how many directories each may keep open.
struct WalkBudget: Sendable {
    let threads: Int
    let openDirectories: Int

    init(threads wanted: Int?) {
        let available = SystemCalls.availableDescriptors(most: 1024)
        threads = max(1, min(wanted ?? SystemCalls.processorCount, 16, available / 16))
        // Some are left to others; a worker opens a few more while it lists, resolves and reads.
        openDirectories = max(2, min(64, available * 2 / 3 / threads - 7))
    }
}
