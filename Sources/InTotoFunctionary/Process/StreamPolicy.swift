/// What is kept of the command's output; it is shown live in every case. A raw value is what the user types.
public enum StreamPolicy: String, CaseIterable, Sendable {
    /// Everything, up to 8 MiB of each stream: beyond that its first and its last 4 MiB.
    case full
    /// The last 64 KiB of each stream.
    case tail
    /// Length and digest only.
    case digest
    /// Nothing: the command has our own descriptors, and no byte is copied.
    case off

    /// Nil where nothing is read.
    var recording: RecordingLimits? {
        switch self {
        case .full: RecordingLimits(head: 4 << 20, tail: 4 << 20)
        case .tail: RecordingLimits(head: 0, tail: 64 << 10)
        case .digest: .nothing
        case .off: nil
        }
    }
}

/// Bytes kept of a stream's start and end; one that is not longer than both together is kept whole.
struct RecordingLimits: Sendable {
    var head: Int
    var tail: Int

    static let nothing = RecordingLimits(head: 0, tail: 0)
}
