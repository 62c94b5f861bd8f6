/// What a snapshot would record, without reading any of it.
public struct SnapshotPlan: Sendable {
    public struct Entry: Hashable, Sendable {
        public let path: [UInt8]
        /// Only excluded directories are listed themselves.
        public let isDirectory: Bool
        /// Nil: it would be recorded.
        public let excludedBy: ExclusionPattern?
    }

    /// Sorted by path.
    public var entries: [Entry] = []
    public var notRecorded: [NotRecorded] = []
}
