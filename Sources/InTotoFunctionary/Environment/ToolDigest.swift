internal import CSupport
internal import Dispatch
internal import InTotoCrypto
public import InTotoMetadata
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Which program recorded a step, beyond what it says its version is.
public struct ToolIdentity: Hashable, Sendable {
    /// What the linker computed over the executable's content, as hexadecimal digits; costs nothing to look up.
    public var buildID: Text?
    /// SHA-256 of the file that we were started from, where it was computed.
    public var sha256: Text?
}

/// Whether the digest of our own executable is worth the time: hashing it takes longer than a short step.
public enum ToolDigestPolicy: String, CaseIterable, Sendable {
    /// Where the command runs long enough to do it beside, on a processor that would wait otherwise.
    case auto
    case always
    case never
}

/// The SHA-256 of the running executable, computed on another thread.
///
/// The lock is there because that thread and the one that asks for the result share what has become of it; each holds
/// it for an assignment.
final class ToolDigest: Sendable {
    private struct State {
        var isStopped = false
        var sha256: Text?
    }

    /// How long a command runs before it is taken for a long one. A shorter one shall not share its processors.
    private static let patience = DispatchTimeInterval.milliseconds(50)

    private let policy: ToolDigestPolicy
    private let state = Mutex(State())
    private let computation = DispatchGroup()

    init(_ policy: ToolDigestPolicy) { self.policy = policy }

    /// Begins to compute it: at once, or when the command has run for a while.
    func start() {
        guard policy != .never else { return }
        computation.enter()
        let delay = policy == .always ? DispatchTimeInterval.seconds(0) : Self.patience
        DispatchQueue(label: "tool digest").asyncAfter(deadline: .now() + delay) { [self] in
            compute()
            computation.leave()
        }
    }

    /// What is known when the command has ended; only `.always` waits for the digest, otherwise it is given up.
    func finish() -> ToolIdentity {
        if policy == .always { computation.wait() }
        let sha256 = state.withLock { state in
            state.isStopped = true
            return state.sha256
        }
        return ToolIdentity(buildID: Self.buildID(), sha256: sha256)
    }

    private static func buildID() -> Text? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = cs_build_id(&bytes, bytes.count)
        return count == 0 ? nil : Hex.encode(bytes[..<count])
    }

    /// Through the link that leads to the file that runs, even where another has taken its name.
    private func compute() {
        let descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        // A digest that cannot be computed is one that is not recorded: the evidence shows which.
        guard var digest = try? MessageDigest(.sha256) else { return }
        while !state.withLock({ $0.isStopped }) {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return }
            let isDone = buffer.withUnsafeBytes {
                (try? digest.update(UnsafeRawBufferPointer(rebasing: $0[..<count]))) != nil
            }
            guard isDone else { return }
            if count == 0 {
                let sha256 = (try? digest.finish()).map { Hex.encode($0) }
                state.withLock { $0.sha256 = sha256 }
                return
            }
        }
    }
}
