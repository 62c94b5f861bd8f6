import InTotoArtifacts
import Synchronization

/// One line that tells how much was read so far: after half a second, redrawn ten times a second at most, and gone when
/// the reading is done.
final class ProgressLine: Sendable {
    private struct State {
        var began: ContinuousClock.Instant
        var drawn: ContinuousClock.Instant?
        var files = 0
        var bytes: UInt64 = 0
    }

    private let state: Mutex<State?> = Mutex(nil)
    private let now: @Sendable () -> ContinuousClock.Instant
    private let write: @Sendable ([UInt8]) -> Void

    init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, write: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.now = now
        self.write = write
    }

    /// May be called from any thread.
    func hear(_ event: SnapshotEvent) {
        switch event {
        case .began: state.withLock { $0 = State(began: now()) }
        case .progress(let files, let bytes): add(files, bytes)
        case .ended:
            state.withLock { state in
                if state?.drawn != nil { write(Array("\r\u{1B}[K".utf8)) }
                state = nil
            }
        }
    }

    private func add(_ files: Int, _ bytes: UInt64) {
        state.withLock { state in
            guard var current = state else { return }
            current.files += files
            current.bytes += bytes
            let now = now()
            let isDue =
                current.drawn.map { now - $0 >= .milliseconds(100) } ?? (now - current.began >= .milliseconds(500))
            if isDue {
                current.drawn = now
                write(Array("\r\(Self.text(current, at: now))\u{1B}[K".utf8))
            }
            state = current
        }
    }

    private static func text(_ state: State, at now: ContinuousClock.Instant) -> String {
        let (seconds, attoseconds) = (now - state.began).components
        let elapsed = Double(seconds) + Double(attoseconds) / 1e18
        let rate = UInt64(Double(state.bytes) / max(elapsed, 0.001))
        return "intoto-run: \(state.files) files, \(size(state.bytes)), \(size(rate))/s"
    }

    /// With one decimal, in the largest unit that leaves a number above one.
    private static func size(_ bytes: UInt64) -> String {
        var tenths = bytes * 10
        for unit in ["B", "kB", "MB"] {
            if tenths < 10_000 { return unit == "B" ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(unit)" }
            tenths /= 1000
        }
        return "\(tenths / 10).\(tenths % 10) GB"
    }
}
