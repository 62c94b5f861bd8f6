import Synchronization

/// Between the thread that reads a repository and the one that waits for it: what is known so far, and whether anybody
/// still wants the rest.
final class GitWatch: Sendable {
    private let isOver = Atomic(false)
    private let state: Mutex<GitRepositoryState?> = Mutex(nil)
    private let patience: Int

    /// `patience` in seconds, for the error.
    init(patience: Int) { self.patience = patience }

    /// What stands before the work tree is compared.
    func publish(_ state: GitRepositoryState) { self.state.withLock { $0 = state } }

    /// Throws where nobody waits any more.
    func check() throws(GitError) {
        if isOver.load(ordering: .relaxed) { throw .tookTooLong(seconds: patience) }
    }

    /// Ends the reading at its next check. What is known by then, and that the rest is not.
    func giveUp(because error: GitError) -> Result<GitRepositoryState, GitError> {
        isOver.store(true, ordering: .relaxed)
        guard var known = state.withLock({ $0 }) else { return .failure(error) }
        known.notes.append(GitRepositoryState.notCompared(error))
        return .success(known)
    }
}
