import InTotoMetadata

/// Why a repository, or a part of it, is not read.
public enum GitError: Error, Hashable {
    case noRepository
    /// libgit2 is absent or unusable.
    case library(String)
    /// Somebody else owns `path`, of a repository that `safe.directory` would name.
    case foreignOwner(path: [UInt8], user: UInt32, repository: [UInt8])
    /// Reading on would lead out of the repository, or through a link; why, for the path.
    case leadsOutside(path: [UInt8], String)
    /// What the repository needs and we have not.
    case unsupported(String)
    /// What stands there is not what git would have written.
    case broken(path: [UInt8], String)
    case unknownRevision([UInt8])
    case tookTooLong(seconds: Int)
    case givenUp
}

extension GitError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noRepository: "not in a git repository"
        case .library(let reason): "cannot load libgit2 1.5: \(reason)"
        case .foreignOwner(let path, let user, _):
            "dubious ownership: '\(escapedForTerminal(path))' belongs to user \(user)"
        case .leadsOutside(let path, let reason): "'\(escapedForTerminal(path))' \(reason), which is not followed"
        case .unsupported(let what): "\(what) is not supported"
        case .broken(let path, let reason): "'\(escapedForTerminal(path))' \(reason)"
        case .unknownRevision(let revision):
            "there is no branch, tag, reference or object '\(escapedForTerminal(revision))'"
        case .tookTooLong(let seconds): "reading the repository took longer than \(seconds) s"
        case .givenUp: "reading the repository was given up on request"
        }
    }

    /// What to do about it.
    public var hint: String? {
        switch self {
        case .foreignOwner(_, _, let repository):
            "if you trust its owner, give --git-trust-owner, or run: git config --global --add safe.directory "
                + "'\(escapedForTerminal(repository))'"
        case .library: "install it (Debian: libgit2-1.5), or give --git off"
        case .unknownRevision: "give a branch, a tag, a full reference such as refs/heads/main, or a full object id"
        case .noRepository, .leadsOutside, .unsupported, .broken, .tookTooLong, .givenUp: nil
        }
    }
}
