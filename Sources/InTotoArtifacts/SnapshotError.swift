import InTotoMetadata
import SystemPackage

/// Why there is no snapshot: the first problems in order of their paths, and how many there are.
public struct SnapshotError: Error, Hashable {
    /// At most `listedProblems`, sorted by path.
    public let problems: [SnapshotProblem]
    public let count: Int

    /// How many problems are named, one line each.
    public static let listedProblems = 20
}

extension SnapshotError: CustomStringConvertible {
    public var description: String {
        let lines = problems.map(\.description)
        return (count > problems.count ? lines + ["and \(count - problems.count) more"] : lines)
            .joined(separator: "\n")
    }
}

/// One path that cannot be recorded.
public struct SnapshotProblem: Hashable, Sendable {
    public indirect enum Reason: Hashable, Sendable {
        case permissionDenied
        /// Of the process, or of the whole system.
        case tooManyOpenFiles
        case doesNotExist
        case vanished
        case changedWhileRead
        case notUTF8
        case nameTooLong
        case nothingLeftOfName
        case sameName(as: [UInt8])
        case leavesBase
        /// The path is not a reference's but the base path itself, which has this problem.
        case basePath(Reason)
        case linkRefused
        case beyondLink
        case notRegular(NotRecorded.Reason)
        case notDirectory
        case tooManyEntries(limit: Int)
        case tooManyLinkedEntries(limit: Int)
        case matchesNothing
        case givenUp
        case lineFeedInName
        case notSupported(String)
        /// Of a commit as an artifact.
        case repository(GitError)
        case failed(String)
    }

    public let path: [UInt8]
    public let reason: Reason
}

extension SnapshotProblem: CustomStringConvertible {
    /// One line, whatever is in the path.
    public var description: String {
        let path = "'\(escapedForTerminal(path))'"
        if case .basePath(let reason) = reason { return "the base path \(path) \(reason)" }
        return "\(path): \(reason)"
    }
}

extension SnapshotProblem.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .permissionDenied: "permission denied"
        case .tooManyOpenFiles: "could not open: too many files are open"
        case .doesNotExist: "does not exist"
        case .vanished: "vanished while being read"
        case .changedWhileRead: "changed while being read"
        case .notUTF8: "the name is not UTF-8, which evidence cannot hold"
        case .nameTooLong: "the name is longer than 65536 bytes"
        case .nothingLeftOfName: "nothing is left of the name without its prefix"
        case .sameName(let other): "has the same name in evidence as '\(escapedForTerminal(other))'"
        case .leavesBase: "leaves the base path; name it absolutely, or choose another base path"
        case .basePath(let reason): "the base path \(reason)"
        case .linkRefused: "is a symbolic link, and these are refused"
        case .beyondLink: "is beyond a symbolic link, and these are not followed"
        case .notRegular(let reason): "is \(reason)"
        case .notDirectory: "is not a directory"
        case .tooManyEntries(let limit): "there are more than \(limit) entries below"
        case .tooManyLinkedEntries(let limit): "links to directories lead to more than \(limit) entries below"
        case .matchesNothing: "matches nothing"
        case .givenUp: "its reading was given up on request"
        case .lineFeedInName: "has a line feed in its name, which a directory digest cannot hold"
        case .notSupported(let what): "\(what) is not supported yet"
        case .repository(let error): error.description
        case .failed(let reason): reason
        }
    }
}

extension SnapshotProblem.Reason {
    /// Of a path that was reached as a whole, through whatever links are on the way.
    init(resolving error: SystemError) {
        switch error.code {
        case .noSuchFileOrDirectory: self = .doesNotExist
        case .notDirectory: self = .notDirectory
        case .tooManySymbolicLinkLevels: self = .notRegular(.linkCycle)
        default: self = .init(error)
        }
    }

    /// Of a path that was reached component by component, none of them a link.
    init(_ error: SystemError) {
        switch error.code {
        case .permissionDenied, .notPermitted: self = .permissionDenied
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: self = .tooManyOpenFiles
        case .noSuchFileOrDirectory: self = .vanished
        // What was a file, a directory or a link (an "invalid argument" to read one) is now something else.
        case .tooManySymbolicLinkLevels, .notDirectory, .invalidArgument: self = .changedWhileRead
        default: self = .failed("could not \(error.operation): \(error.code)")
        }
    }
}
