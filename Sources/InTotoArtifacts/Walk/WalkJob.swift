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
    var links = LinkChain.none
    /// The glob that paths below must match; nil where everything is wanted.
    var filter: Int?
    var work = Work.list
}

extension WalkJob {
    init(reading place: ArtifactPlace) {
        self.init(root: place.root, real: place.directory, name: place.path, reference: [], work: .read(place))
    }
}

/// The links to directories that were followed on the way to a directory, to see when the next would lead back. Shared by
/// all directories that the same links lead to.
final class LinkChain: Sendable {
    /// How many links it is of; zero where none was followed.
    let count: Int
    /// The real path that the last link led to.
    private let start: [UInt8]
    /// The way to the last link, and the real path of the directory that it is in.
    private let before: (chain: LinkChain, end: [UInt8])?

    /// No link was followed on the way from the root.
    static let none = LinkChain(startingAt: [])

    /// As the kernel has it: no path leads through more links, so that no program could open it.
    static let longest = 40

    init(startingAt start: [UInt8]) {
        count = 0
        self.start = start
        before = nil
    }

    /// Beyond a link in the directory at `real`, the end of `chain`.
    init(_ chain: LinkChain, followedTo target: [UInt8], from real: [UInt8]) {
        count = chain.count + 1
        start = target
        before = (chain, real)
    }

    /// Whether `target` is a directory that the one at `real` is in, or is itself, on this way.
    func leadsBack(to target: [UInt8], from real: [UInt8]) -> Bool {
        var (chain, end) = (self, real)
        while true {
            if PathBytes.isWithin(target, chain.start) && PathBytes.isWithin(end, target) { return true }
            guard let before = chain.before else { return false }
            (chain, end) = before
        }
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
