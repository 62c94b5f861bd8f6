/// What one snapshot hid for its content or its lock, so that a later one can tell what is new.
///
/// A command can put something of its own under the name of evidence, or in the place of evidence. Of a file whose times
/// and identity are the same nothing is asked again, which trusts the file system with the times of change.
public struct HiddenFiles: Sendable {
    struct File: Sendable {
        var status: FileStatus
        /// A later change would have another time.
        var isSettled: Bool
    }

    /// By recorded path.
    var files: [[UInt8]: File] = [:]
    /// When nothing of what is to be told of had happened.
    let begun: FileStatus.Timestamp

    /// Nothing yet; what changes from now on is new.
    package init() { begun = SystemCalls.fileClock() }

    /// Nothing that is known; what has changed since that second is new.
    package init(secondsSinceEpoch: Int64) { begun = .init(seconds: secondsSinceEpoch, nanoseconds: 0) }

    init(_ files: [[UInt8]: FileStatus], at now: FileStatus.Timestamp) {
        self.files = files.mapValues { File(status: $0, isSettled: $0.changed.precedes(now)) }
        begun = now
    }

    /// Whether the file was hidden, and is what it was.
    func has(_ path: [UInt8], _ status: FileStatus) -> Bool {
        guard let file = files[path], file.isSettled else { return false }
        return file.status == status
    }
}
