import Dispatch
import Synchronization

/// Reads a repository on a thread of its own, beside the reading of artifacts.
package struct GitObservation: Sendable {
    private final class Outcome: Sendable {
        let result: Mutex<Result<GitRepositoryState, GitError>?> = Mutex(nil)
        let done = DispatchSemaphore(value: 0)
    }

    private let outcome = Outcome()
    private let watch: GitWatch
    private let patience: Int

    /// Begins with the repository that `directory` is in; outside of one there is neither a thread nor libgit2.
    package init(of directory: [UInt8], _ options: GitOptions) {
        patience = options.patience
        watch = GitWatch(patience: options.patience)
        do throws(GitError) { _ = try GitLocation.find(from: directory) } catch {
            finish(.failure(error))
            return
        }
        var options = options
        options.watch = watch
        DispatchQueue(label: "git").async { [self, options] in
            finish(Result { () throws(GitError) in try GitRepositoryState.read(from: directory, options) })
        }
    }

    private func finish(_ result: Result<GitRepositoryState, GitError>) {
        outcome.result.withLock { $0 = result }
        outcome.done.signal()
    }

    /// Whether the thread is done.
    package var hasEnded: Bool { outcome.result.withLock { $0 != nil } }

    /// Waits for the end, as long as there is patience and `isGivenUp` says no. After that the thread is told to stop, and
    /// there is what it had read before the work tree; where a hostile repository blocks it, it is left to itself.
    package func result(unless isGivenUp: () -> Bool = { false }) -> Result<GitRepositoryState, GitError> {
        let end = DispatchTime.now() + .seconds(patience)
        while outcome.done.wait(timeout: min(end, .now() + .milliseconds(100))) != .success {
            if isGivenUp() { return watch.giveUp(because: .givenUp) }
            if DispatchTime.now() >= end { return watch.giveUp(because: .tookTooLong(seconds: patience)) }
        }
        outcome.done.signal()
        return outcome.result.withLock { $0 } ?? .failure(.tookTooLong(seconds: patience))
    }
}
