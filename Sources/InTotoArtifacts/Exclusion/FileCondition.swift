import InTotoMetadata
import SystemPackage

/// What a file must be, besides its name, for a pattern to hide it.
public enum FileCondition: String, Hashable, Sendable {
    case any
    /// Evidence by its content, as `EvidenceCheck` has it: by its beginning, or, where `SnapshotOptions.hiddenBefore` is
    /// there and does not have it, from its beginning to its end.
    case evidence
    /// Among `SnapshotOptions.knownEvidence`, and nothing but evidence, read from its beginning to its end.
    case knownEvidence
    /// Held under a lock (`flock`), as a run that is alive holds what it is about to write.
    case held
}

extension FileCondition {
    /// Whether a regular file, which a record calls `path`, meets it. `hidden` hears of the file that does, for what must
    /// be told of it later.
    func holds(
        for name: [UInt8], in directory: Int32, as path: [UInt8], _ options: Options, _ hidden: (Hidden) -> Void
    ) throws(SystemError) -> Bool {
        switch self {
        case .any: return true
        case .evidence: return try Self.isEvidence(name, in: directory, path, options.hiddenBefore, hidden)
        case .knownEvidence:
            guard options.knownEvidence.contains(path) else { return false }
            return try Self.isWhollyEvidence(name, in: directory)
        case .held:
            guard try Self.isHeld(name, in: directory) else { return false }
            // One that is gone by now is nothing that could be told of.
            guard let status = try? SystemCalls.status(name[...], in: directory) else { return true }
            hidden(Hidden(status, path, since: options.hiddenBefore))
            return true
        }
    }

    /// What the conditions depend on, besides the file.
    struct Options: Sendable {
        var knownEvidence: Set<[UInt8]> = []
        var hiddenBefore: HiddenFiles?
    }

    /// A file that is hidden as what it is.
    struct Hidden {
        let status: FileStatus
        /// It was not there when `HiddenFiles` began, or was something else.
        let isNew: Bool

        init(_ status: FileStatus, _ path: [UInt8], since before: HiddenFiles?) {
            self.status = status
            isNew = before.map { $0.files[path]?.status != status && !status.changed.precedes($0.begun) } ?? false
        }
    }

    private static func isEvidence(
        _ name: [UInt8], in directory: Int32, _ path: [UInt8], _ before: HiddenFiles?, _ hidden: (Hidden) -> Void
    ) throws(SystemError) -> Bool {
        let file = try SystemCalls.openFile(name[...], in: directory)
        let status = try SystemCalls.status(file.number)
        guard status.kind == .regular else { return false }
        if let before, !before.has(path, status) {
            let (size, limits) = (EvidenceCheck.newSizeLimit, EvidenceCheck.newLimits)
            guard try isWhole(file.number, status, sizeLimit: size, limits) else { return false }
        } else {
            let bytes = try SystemCalls.prefix(of: file.number, length: EvidenceCheck.prefixLength)
            guard EvidenceCheck.holds(bytes[...]) else { return false }
        }
        hidden(Hidden(status, path, since: before))
        return true
    }

    private static func isWhollyEvidence(_ name: [UInt8], in directory: Int32) throws(SystemError) -> Bool {
        let file = try SystemCalls.openFile(name[...], in: directory)
        let status = try SystemCalls.status(file.number)
        guard status.kind == .regular else { return false }
        return try isWhole(file.number, status, sizeLimit: EvidenceCheck.sizeLimit)
    }

    private static func isWhole(
        _ descriptor: Int32, _ status: FileStatus, sizeLimit: Int64, _ limits: JSONLimits = JSONLimits()
    ) throws(SystemError) -> Bool {
        guard status.size <= sizeLimit else { return false }
        let bytes = try SystemCalls.prefix(of: descriptor, length: Int(status.size) + 1)
        return EvidenceCheck.isWhole(bytes, limits: limits)
    }

    private enum Lock: Equatable {
        case taken
        /// `mayCome`: its run may not have had the time to take it.
        case free(mayCome: Bool)
    }

    /// Between its creation and its lock a file is empty, and its run gives it up where we are faster: such a one is
    /// waited for. What is gone by then is hidden, since there is nothing to record.
    private static func isHeld(_ name: [UInt8], in directory: Int32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            var lock = try lock(on: name, in: directory)
            // Enough looks for a second, unless the clock was set.
            for _ in 0..<110 where lock == .free(mayCome: true) {
                SystemCalls.pause(milliseconds: 10)
                lock = try Self.lock(on: name, in: directory)
            }
            if lock == .taken { return true }
            // Its run may have put it in its place, and let go of it, since it was opened.
            _ = try SystemCalls.openFile(name[...], in: directory)
            return false
        } catch {
            guard error.code == .noSuchFileOrDirectory else { throw error }
            return true
        }
    }

    /// What we take of the lock ourselves ends with this call.
    private static func lock(on name: [UInt8], in directory: Int32) throws(SystemError) -> Lock {
        let file = try SystemCalls.openFile(name[...], in: directory)
        let status = try SystemCalls.status(file.number)
        guard status.kind == .regular else { return .free(mayCome: false) }
        if SystemCalls.isLockedByOthers(file.number) { return .taken }
        // A file system may claim any time.
        let (second, isBeyondTime) = status.changed.seconds.addingReportingOverflow(1)
        let isOld =
            !isBeyondTime
            && ClockReading().isWellAfter(seconds: second, nanoseconds: status.changed.nanoseconds)
        return .free(mayCome: status.size == 0 && !isOld)
    }
}

/// For what is no regular file, or cannot be looked at.
func noCondition(_: FileCondition) -> Bool { false }
