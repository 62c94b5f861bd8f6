public import InTotoArtifacts

/// What of the repository around a step is recorded, and required.
public enum GitPolicy: Hashable, Sendable {
    case off
    /// Recorded where there is one that can be read.
    case auto
    /// Nothing runs where there is none that can be read.
    case required
    /// Nor where its files are not as its commit has them.
    case clean

    func check(_ state: Result<GitRepositoryState, GitError>?) throws(RepositoryRefusal) {
        switch (self, state) {
        case (.off, _), (.auto, _), (_, nil): return
        case (.required, .failure(let error)?), (.clean, .failure(let error)?): throw .notRead(error)
        case (.required, .success): return
        case (.clean, .success(let state)?):
            guard let status = state.status else { throw .noStatus(state.notes, borrowsObjects: state.borrowsObjects) }
            guard status.isClean else { throw .dirty(status.summary, hasUntracked: status.untracked.count > 0) }
            guard status.doubts.isEmpty else {
                throw .noStatus(status.doubts, borrowsObjects: state.borrowsObjects)
            }
        }
    }
}

/// Why a repository is not as demanded.
public enum RepositoryRefusal: Error {
    case notRead(GitError)
    /// What is not clean, in words.
    case dirty(String, hasUntracked: Bool)
    /// Whether it is clean cannot be told; why not.
    case noStatus([String], borrowsObjects: Bool)
}

/// The repository before the command and, where there was one, after it.
public struct RecordedRepository: Sendable {
    package var before: Result<GitRepositoryState, GitError>
    package var after: Result<GitRepositoryState, GitError>?

    /// Why there is none, or why it was not read.
    public var failure: GitError? {
        if case .failure(let error) = before { return error }
        if case .failure(let error)? = after { return error }
        return nil
    }
}
