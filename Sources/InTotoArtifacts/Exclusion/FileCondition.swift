import InTotoMetadata
import SystemPackage

/// What a file must be, besides its name, for a pattern to hide it.
public enum FileCondition: String, Hashable, Sendable {
    case any
    /// Evidence by its content; see `EvidenceCheck`.
    case evidence
    /// Held under a lock (`flock`), as a run that is alive holds what it is about to write.
    case held
}

extension FileCondition {
    /// Whether a regular file meets it.
    func holds(for name: [UInt8], in directory: Int32) throws(SystemError) -> Bool {
        switch self {
        case .any: true
        case .evidence: try Self.isEvidence(name, in: directory)
        case .held: try Self.isHeld(name, in: directory)
        }
    }

    private static func isEvidence(_ name: [UInt8], in directory: Int32) throws(SystemError) -> Bool {
        let file = try SystemCalls.openFile(name[...], in: directory)
        guard try SystemCalls.status(file.number).kind == .regular else { return false }
        return EvidenceCheck.holds(try SystemCalls.prefix(of: file.number, length: EvidenceCheck.prefixLength)[...])
    }

    private enum Lock: Equatable {
        case taken
        case free(isEmpty: Bool)
    }

    /// Between its creation and its lock a file is empty, and its run gives it up where we were faster: such a one is
    /// looked at again. What is gone by then is hidden, since there is nothing to record.
    private static func isHeld(_ name: [UInt8], in directory: Int32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            let lock = try lock(on: name, in: directory)
            guard lock == .free(isEmpty: true) else { return lock == .taken }
            SystemCalls.pause(milliseconds: 10)
            return try Self.lock(on: name, in: directory) == .taken
        } catch {
            guard error.code == .noSuchFileOrDirectory else { throw error }
            return true
        }
    }

    /// What we take of the lock ourselves ends with this call.
    private static func lock(on name: [UInt8], in directory: Int32) throws(SystemError) -> Lock {
        let file = try SystemCalls.openFile(name[...], in: directory)
        let status = try SystemCalls.status(file.number)
        guard status.kind == .regular else { return .free(isEmpty: false) }
        return SystemCalls.isLockedByOthers(file.number) ? .taken : .free(isEmpty: status.size == 0)
    }
}

/// For what is no regular file, or cannot be looked at.
func noCondition(_: FileCondition) -> Bool { false }
