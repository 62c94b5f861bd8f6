/// Artifacts and their digests, each name once, in byte order of the names.
///
/// A record of 300,000 files has to stay small, so names and digest values stand in one buffer; `Artifact` values
/// are made when asked for.
public struct ArtifactSet: Sendable {
    private var arena: [UInt8] = []
    private var records: [Record] = []
    private var algorithms: [DigestAlgorithm] = []

    /// Where one artifact's name and digests stand in the arena.
    ///
    /// The digests follow the name: for each, the algorithm's index and the value's length (4 bytes each,
    /// big-endian), then the value.
    private struct Record {
        var start: Int
        var nameLength: UInt32
        var digestCount: UInt32
    }

    public init() {}

    /// Throws where two of the artifacts bear one name.
    public init(_ artifacts: some Sequence<Artifact>) throws(ArtifactSetError) {
        var builder = Builder()
        for artifact in artifacts { builder.append(artifact.name, artifact.digests) }
        self = try builder.finish()
    }

    public var isEmpty: Bool { records.isEmpty }

    /// In bytes, written as JSON with one digest each and nothing to escape.
    var approximateSize: Int { arena.count + 56 * records.count }

    package var firstWithoutDigest: ArtifactName? {
        records.first { $0.digestCount == 0 }.map { name(of: $0) }
    }

    public subscript(name: ArtifactName) -> DigestSet? {
        position(of: name.text.utf8[...]).map { digests(of: records[$0]) }
    }

    private func name(of record: Record) -> ArtifactName {
        ArtifactName(Text(trusted: Array(nameBytes(of: record))))
    }

    private func nameBytes(of record: Record) -> ArraySlice<UInt8> {
        arena[record.start..<record.start + Int(record.nameLength)]
    }

    private func digests(of record: Record) -> DigestSet {
        var set = DigestSet()
        forEachDigest(of: record) { algorithm, value in
            set[algorithm] = Text(trusted: Array(value))
        }
        return set
    }

    private func forEachDigest(of record: Record, _ body: (DigestAlgorithm, ArraySlice<UInt8>) -> Void) {
        var offset = record.start + Int(record.nameLength)
        for _ in 0..<record.digestCount {
            let algorithm = algorithms[number(at: offset)]
            let length = number(at: offset + 4)
            body(algorithm, arena[offset + 8..<offset + 8 + length])
            offset += 8 + length
        }
    }

    private func number(at offset: Int) -> Int {
        Int(arena[offset]) << 24 | Int(arena[offset + 1]) << 16 | Int(arena[offset + 2]) << 8 | Int(arena[offset + 3])
    }

    private mutating func appendNumber(_ number: Int) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).bigEndian) { arena.append(contentsOf: $0) }
    }
}

/// One artifact: its recorded name and its digests.
public struct Artifact: Hashable, Sendable {
    public var name: ArtifactName
    public var digests: DigestSet

    public init(name: ArtifactName, digests: DigestSet) {
        self.name = name
        self.digests = digests
    }
}

/// Two artifacts bear one name.
public struct ArtifactSetError: Error, Hashable, CustomStringConvertible {
    public let duplicate: ArtifactName

    public var description: String { "two artifacts are named '\(duplicate)'" }
}

extension ArtifactSet: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { records.count }

    public subscript(position: Int) -> Artifact {
        Artifact(name: name(of: records[position]), digests: digests(of: records[position]))
    }

    /// Visits names and digests as bytes of the arena, without making values of them.
    func forEachRaw(_ body: (_ name: UnsafeRawBufferPointer, _ digests: RawDigests) -> Void) {
        arena.withUnsafeBytes { arena in
            for record in records {
                let nameEnd = record.start + Int(record.nameLength)
                body(
                    UnsafeRawBufferPointer(rebasing: arena[record.start..<nameEnd]),
                    RawDigests(bytes: arena, start: nameEnd, count: record.digestCount, algorithms: algorithms))
            }
        }
    }

    /// An artifact's digests where they stand in the arena; for as long as a visit lasts.
    struct RawDigests {
        fileprivate let bytes: UnsafeRawBufferPointer
        fileprivate let start: Int
        fileprivate let count: UInt32
        fileprivate let algorithms: [DigestAlgorithm]

        func visit(_ body: (DigestAlgorithm, UnsafeRawBufferPointer) -> Void) {
            var offset = start
            for _ in 0..<count {
                let length = number(at: offset + 4)
                let value = bytes[offset + 8..<offset + 8 + length]
                body(algorithms[number(at: offset)], UnsafeRawBufferPointer(rebasing: value))
                offset += 8 + length
            }
        }

        private func number(at offset: Int) -> Int {
            Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
    }
}

// MARK: Without making values

extension ArtifactSet {
    /// The bytes of a name.
    package func nameBytes(at position: Int) -> ArraySlice<UInt8> { nameBytes(of: records[position]) }

    package func position(of name: ArraySlice<UInt8>) -> Int? {
        let position = firstPosition { !$0.lexicographicallyPrecedes(name) }
        return position < records.count && nameBytes(of: records[position]).elementsEqual(name) ? position : nil
    }

    /// The positions of the names that begin with `prefix`.
    package func positions(withPrefix prefix: [UInt8]) -> Range<Int> {
        guard !prefix.isEmpty else { return records.indices }
        let start = firstPosition { !$0.lexicographicallyPrecedes(prefix) }
        // Names with the prefix stand together, and nothing else does between them.
        let end = firstPosition(from: start) { !$0.starts(with: prefix) }
        return start..<end
    }

    /// The first position whose name fulfils `condition`, which holds for all names behind it, too.
    private func firstPosition(from start: Int = 0, where condition: (ArraySlice<UInt8>) -> Bool) -> Int {
        var low = start
        var high = records.count
        while low < high {
            let middle = (low + high) / 2
            if condition(nameBytes(of: records[middle])) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// How the digests of two artifacts compare.
    package func compareDigests(at position: Int, with other: ArtifactSet, at otherPosition: Int)
        -> DigestSet.Comparison
    {
        let (a, b) = (records[position], other.records[otherPosition])
        // Nearly always one SHA-256 each, written in the same way.
        if a.digestCount == 1, b.digestCount == 1, let first = singleSHA256(of: a),
            let second = other.singleSHA256(of: b)
        {
            return first.elementsEqual(second) ? .same : .different
        }
        return digests(of: a).compare(with: other.digests(of: b))
    }

    /// The digits of the only digest, where these are 64 digits of SHA-256 in lower case.
    private func singleSHA256(of record: Record) -> ArraySlice<UInt8>? {
        let offset = record.start + Int(record.nameLength)
        guard number(at: offset + 4) == 64, algorithms[number(at: offset)] == .sha256 else { return nil }
        let value = arena[offset + 8..<offset + 72]
        return value.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } ? value : nil
    }

    /// Every algorithm that a digest here is of.
    package var usedAlgorithms: [DigestAlgorithm] { algorithms }
}

extension ArtifactSet: Hashable {
    public static func == (a: Self, b: Self) -> Bool { a.elementsEqual(b) }

    public func hash(into hasher: inout Hasher) {
        for artifact in self { hasher.combine(artifact) }
    }
}

extension ArtifactSet {
    /// Collects artifacts in any order.
    public struct Builder: Sendable {
        private var set = ArtifactSet()
        private var indices: [DigestAlgorithm: Int] = [:]

        public init() {}

        /// Makes room for so many artifacts, with so many bytes of names and digests.
        package mutating func reserve(_ count: Int, bytes: Int) {
            set.records.reserveCapacity(count)
            set.arena.reserveCapacity(bytes + 8 * count)
        }

        public mutating func append(_ name: ArtifactName, _ digests: DigestSet) {
            let start = set.arena.count
            set.arena.append(contentsOf: name.text.utf8)
            for digest in digests.entries {
                digest.value.utf8.withUnsafeBytes { append(digest.algorithm, $0) }
            }
            set.records.append(
                Record(
                    start: start, nameLength: UInt32(name.text.utf8.count), digestCount: UInt32(digests.entries.count)))
        }

        /// `name` must be valid UTF-8; its digests stand one after the other in `digests`, as `forms` says: sorted by
        /// algorithm, each once.
        package mutating func append(
            name: UnsafeRawBufferPointer, digests: UnsafeRawBufferPointer,
            _ forms: [(algorithm: DigestAlgorithm, length: Int)]
        ) {
            let start = set.arena.count
            set.arena.append(contentsOf: name)
            var offset = 0
            for (algorithm, length) in forms {
                append(algorithm, UnsafeRawBufferPointer(rebasing: digests[offset..<offset + length]))
                offset += length
            }
            set.records.append(
                Record(start: start, nameLength: UInt32(name.count), digestCount: UInt32(forms.count)))
        }

        private mutating func append(_ algorithm: DigestAlgorithm, _ value: UnsafeRawBufferPointer) {
            set.appendNumber(index(of: algorithm))
            set.appendNumber(value.count)
            set.arena.append(contentsOf: value)
        }

        /// Sorts by name; throws where two artifacts bear one name.
        public consuming func finish() throws(ArtifactSetError) -> ArtifactSet {
            guard !set.isAscending else { return set }
            set.sort()
            if let duplicate = set.firstDuplicate() { throw ArtifactSetError(duplicate: duplicate) }
            return set
        }

        private mutating func index(of algorithm: DigestAlgorithm) -> Int {
            // Nearly all artifacts have one and the same algorithm, whose name is one and the same array.
            if set.algorithms.first == algorithm { return 0 }
            if let index = indices[algorithm] { return index }
            set.algorithms.append(algorithm)
            indices[algorithm] = set.algorithms.count - 1
            return set.algorithms.count - 1
        }
    }

    /// Each name is after the one before it: sorted, and none twice.
    private var isAscending: Bool {
        arena.withUnsafeBufferPointer { bytes in
            zip(records, records.dropFirst()).allSatisfy { Self.isBefore($0, $1, in: bytes) }
        }
    }

    private mutating func sort() {
        arena.withUnsafeBufferPointer { bytes in records.sort { Self.isBefore($0, $1, in: bytes) } }
    }

    private static func isBefore(_ a: Record, _ b: Record, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes[a.start..<a.start + Int(a.nameLength)]
            .lexicographicallyPrecedes(bytes[b.start..<b.start + Int(b.nameLength)])
    }

    private func firstDuplicate() -> ArtifactName? {
        for (previous, record) in zip(records, records.dropFirst())
        where nameBytes(of: previous).elementsEqual(nameBytes(of: record)) {
            return name(of: record)
        }
        return nil
    }
}
