import Dispatch
import Synchronization

/// Reads a repository on a thread of its own, beside the reading of artifacts.
package struct GitObservation: Sendable {
    private final class Outcome: Sendable {
        let result: Mutex<Result<GitRepositoryState, GitError>?> = Mutex(nil)
        let done = DispatchSemaphore(value: 0)
    }

    private let outcome = Outcome()

    /// Begins with the repository that `directory` is in; outside of one there is neither a thread nor libgit2.
    package init(of directory: [UInt8], _ options: GitOptions) {
        do throws(GitError) { _ = try GitLocation.find(from: directory) } catch {
            finish(.failure(error))
            return
        }
        DispatchQueue(label: "git").async { [self] in
            finish(Result { () throws(GitError) in try GitRepositoryState.read(from: directory, options) })
        }
    }

    private func finish(_ result: Result<GitRepositoryState, GitError>) {
        outcome.result.withLock { $0 = result }
        outcome.done.signal()
    }

    /// Waits for the end. What a hostile repository blocks for longer is left to itself.
    package func result() -> Result<GitRepositoryState, GitError> {
        let patience = GitOptions.patience
        guard outcome.done.wait(timeout: .now() + .seconds(patience)) == .success else {
            return .failure(.tookTooLong(seconds: patience))
        }
        outcome.done.signal()
        return outcome.result.withLock { $0 } ?? .failure(.tookTooLong(seconds: patience))
    }
}
