/// One piece of a walk: a directory to list, a batch of its entries, or one file.
struct WalkJob: Sendable {
    enum Work: Sendable {
        case list
        /// Packed by `EntryBatch`.
        case entries(EntryBatch)
        /// A file that a reference names, by its real name.
        case file([UInt8], FileStatus.Kind)
        /// A file that is known to be wanted and was put off, or changed while it was read.
        case read(ArtifactPlace)
    }

    var root: Int
    /// The directory relative to the root, no component being a link.
    var real: [UInt8]
    /// What the directory is called in evidence; with `.file`, what the file is called.
    var name: [UInt8]
    /// The reference that it belongs to, as written.
    var reference: [UInt8]
    var links = LinkChain()
    /// The glob that paths below must match; nil where everything is wanted.
    var filter: Int?
    var work = Work.list
}

extension WalkJob {
    init(reading place: ArtifactPlace) {
        self.init(root: place.root, real: place.directory, name: place.path, reference: [], work: .read(place))
    }
}

/// The links that were followed on the way to a directory, to see when the next would lead back.
struct LinkChain: Sendable {
    private struct Segment {
        var start: [UInt8]
        var end: [UInt8]
    }

    private var segments: [Segment] = []
    /// The real path that the last link led to.
    private var start: [UInt8] = []

    init(startingAt start: [UInt8] = []) { self.start = start }

    /// Whether `target` is a directory that the one at `real` is in, or is itself, on this way.
    func leadsBack(to target: [UInt8], from real: [UInt8]) -> Bool {
        (segments + [Segment(start: start, end: real)]).contains { segment in
            PathBytes.isWithin(target, segment.start) && PathBytes.isWithin(segment.end, target)
        }
    }

    /// The chain beyond a link in the directory at `real`.
    func following(to target: [UInt8], from real: [UInt8]) -> LinkChain {
        var chain = self
        chain.segments.append(Segment(start: start, end: real))
        chain.start = target
        return chain
    }
}

/// Names of directory entries in one buffer: a million of them may wait.
struct EntryBatch: Sendable {
    private var bytes: [UInt8] = []
    private var position = 0
    private(set) var count = 0

    mutating func append(_ name: [UInt8], _ kind: FileStatus.Kind?) {
        bytes.append(kind?.code ?? 0)
        bytes.append(contentsOf: name)
        bytes.append(0)
        count += 1
    }

    mutating func popFirst() -> (name: [UInt8], kind: FileStatus.Kind?)? {
        guard position < bytes.count else { return nil }
        let start = position + 1
        let end = bytes[start...].firstIndex(of: 0) ?? bytes.count
        let kind = FileStatus.Kind(code: bytes[position])
        position = end + 1
        count -= 1
        return (Array(bytes[start..<end]), kind)
    }
}

extension FileStatus.Kind {
    fileprivate static let all: [Self] = [.regular, .directory, .symbolicLink, .fifo, .socket, .device]

    fileprivate var code: UInt8 { UInt8((Self.all.firstIndex(of: self) ?? -1) + 1) }

    fileprivate init?(code: UInt8) {
        guard code > 0, Int(code) <= Self.all.count else { return nil }
        self = Self.all[Int(code) - 1]
    }
}
