import ArgumentParser
import InTotoArtifacts

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Whether a line on standard error tells how far the reading is.
struct ProgressOptions: ParsableArguments {
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case auto, on, off
    }

    @Option(help: "Progress on standard error while reading: auto (on a terminal, without -q), on or off.")
    var progress = Mode.auto

    /// What hears of a snapshot's events.
    func listener(isQuiet: Bool) -> @Sendable (SnapshotEvent) -> Void {
        switch progress {
        case .off: return { _ in }
        case .auto where isQuiet || isatty(2) != 1: return { _ in }
        case .auto, .on:
            let line = ProgressLine { text in
                // Whoever does not read it misses nothing.
                _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            }
            return { line.hear($0) }
        }
    }
}
