/// Something that a snapshot under way tells, from any of its threads.
public enum SnapshotEvent: Sendable {
    case began
    /// Since the last event of this kind from the same thread.
    case progress(files: Int, bytes: UInt64)
    /// Nothing more comes of this snapshot, whatever became of it.
    case ended
}
