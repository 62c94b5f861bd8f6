import InTotoArtifacts
import Synchronization
import Testing

@testable import intoto_run

/// The line that tells how far the reading is.
@Suite struct ProgressTests {
    /// Hears events at given milliseconds; returns what was written.
    private func drawn(_ events: [(Int, SnapshotEvent)]) -> [String] {
        let start = ContinuousClock.now
        let time = Mutex(start)
        let texts = Mutex<[String]>([])
        let line = ProgressLine {
            time.withLock { $0 }
        } write: { bytes in
            texts.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }
        for (milliseconds, event) in events {
            time.withLock { $0 = start + .milliseconds(milliseconds) }
            line.hear(event)
        }
        return texts.withLock { $0 }
    }

    @Test func `a short reading shows nothing`() {
        #expect(drawn([(0, .began), (499, .progress(files: 9, bytes: 9)), (600, .ended)]).isEmpty)
    }

    @Test func `it is drawn after half a second, ten times a second at most, and removed`() {
        let texts = drawn([
            (0, .began), (400, .progress(files: 1, bytes: 999)), (500, .progress(files: 1, bytes: 1)),
            (599, .progress(files: 1, bytes: 0)), (600, .progress(files: 0, bytes: 1_499_000)), (700, .ended),
        ])
        #expect(
            texts == [
                "\rintoto-run: 2 files, 1.0 kB, 2.0 kB/s\u{1B}[K", "\rintoto-run: 3 files, 1.5 MB, 2.5 MB/s\u{1B}[K",
                "\r\u{1B}[K",
            ])
    }
}
