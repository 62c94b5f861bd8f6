public import InTotoMetadata

/// Artifacts under the names that rules match: without empty, `.` and `..` parts, so that no spelling dodges a rule.
public struct NormalizedArtifacts: Sendable {
    public let set: ArtifactSet
    /// By position: the name as each link writes it, where that is another one; in byte order.
    public let originals: [Int: [ArtifactName]]

    /// Most bytes of a name: patterns take time that grows with its length, and a path has 4,096 at most.
    public static let nameLimit = 1 << 16

    /// Throws where a name is no name, or two artifacts would have one.
    public init(_ artifacts: ArtifactSet, _ spelling: NameSpelling = .normalized) throws(ArtifactProblem) {
        if let name = artifacts.firstWithoutDigest { throw .noDigest(name) }
        var odd: [ArtifactName: ArtifactName] = [:]
        for position in artifacts.indices {
            let name = artifacts.nameBytes(at: position)
            guard name.count <= Self.nameLimit else { throw .longName(artifacts[position].name) }
            guard !name.isEmpty, !name.contains(0) else { throw .badName(artifacts[position].name) }
            guard spelling == .normalized, LexicalPath.mayNeedWork(name) else { continue }
            let normal = LexicalPath.normalized(name)
            if !normal.elementsEqual(name) { odd[artifacts[position].name] = ArtifactName(Text(repairing: normal)) }
        }
        guard !odd.isEmpty else {
            set = artifacts
            originals = [:]
            return
        }
        var written: [ArtifactName: ArtifactName] = [:]
        var builder = ArtifactSet.Builder()
        for artifact in artifacts {
            let name = odd[artifact.name] ?? artifact.name
            if let other = written.updateValue(artifact.name, forKey: name) {
                throw .oneName(other, artifact.name, normal: name)
            }
            builder.append(name, artifact.digests)
        }
        do { set = try builder.finish() } catch { throw .badName(error.duplicate) }
        var originals: [Int: [ArtifactName]] = [:]
        for (name, normal) in odd {
            if let position = set.position(of: normal.text.utf8[...]) { originals[position] = [name] }
        }
        self.originals = originals
    }
}

extension NormalizedArtifacts {
    private init(set: ArtifactSet, originals: [Int: [ArtifactName]]) {
        self.set = set
        self.originals = originals
    }

    /// The same artifacts with the digests, and the odd spellings, of both.
    func merged(with other: NormalizedArtifacts) -> NormalizedArtifacts {
        let originals = originals.merging(other.originals) { Set($0 + $1).sorted() }
        // Nearly always all digests are of one and the same algorithm.
        guard set.usedAlgorithms.count > 1 || set.usedAlgorithms != other.set.usedAlgorithms else {
            return NormalizedArtifacts(set: set, originals: originals)
        }
        var builder = ArtifactSet.Builder()
        for (mine, theirs) in zip(set, other.set) {
            var digests = mine.digests
            for entry in theirs.digests.entries { digests[entry.algorithm] = entry.value }
            builder.append(mine.name, digests)
        }
        do { return NormalizedArtifacts(set: try builder.finish(), originals: originals) } catch {
            preconditionFailure("the names of a set are distinct")
        }
    }
}

/// Which spelling of names rules match.
public enum NameSpelling: Sendable {
    case normalized
    /// As other verifiers do, with whatever hides behind `./x` and `a/../b`.
    case asWritten
}

/// Why a link's artifacts cannot be judged.
public enum ArtifactProblem: Error, Hashable, CustomStringConvertible {
    case badName(ArtifactName)
    case longName(ArtifactName)
    case noDigest(ArtifactName)
    case oneName(ArtifactName, ArtifactName, normal: ArtifactName)

    public var description: String {
        switch self {
        case .badName(let name): "'\(Self.shown(name))' is no name of an artifact"
        case .longName(let name):
            "'\(Self.shown(name, limit: 64))' is no name of an artifact: it has \(name.text.utf8.count) bytes, more than "
                + "\(NormalizedArtifacts.nameLimit)"
        case .noDigest(let name): "the artifact '\(Self.shown(name))' has no digest"
        case .oneName(let a, let b, let normal):
            "'\(Self.shown(a))' and '\(Self.shown(b))' are one artifact, '\(Self.shown(normal))'"
        }
    }

    /// Cut after `limit` bytes, which are as many as a path has.
    private static func shown(_ name: ArtifactName, limit: Int = 4096) -> String {
        let bytes = name.text.utf8
        return bytes.count <= limit ? "\(name)" : "\(Text(repairing: bytes.prefix(limit)).escaped)…"
    }
}

/// Paths taken apart and put together without looking at the disk.
enum LexicalPath {
    /// Whether there could be something to normalise; nearly always there is not.
    static func mayNeedWork(_ name: ArraySlice<UInt8>) -> Bool {
        if name.first == dot || name.first == slash || name.last == slash { return true }
        var previous: UInt8 = 0
        for byte in name {
            if previous == slash && (byte == slash || byte == dot) { return true }
            previous = byte
        }
        return false
    }

    /// Without empty, `.` and `..` parts; `..` above a relative path's beginning stays. A URI that has none of these is
    /// left as it is.
    static func normalized(_ name: ArraySlice<UInt8>) -> [UInt8] {
        guard !isPlainURI(name) else { return Array(name) }
        let isAbsolute = name.first == slash
        var parts: [ArraySlice<UInt8>] = []
        for part in name.split(separator: slash) where !part.elementsEqual(".".utf8) {
            if !part.elementsEqual("..".utf8) {
                parts.append(part)
            } else if let last = parts.last, !last.elementsEqual("..".utf8) {
                parts.removeLast()
            } else if !isAbsolute {
                parts.append(part)
            }
        }
        let path = (isAbsolute ? [slash] : []) + parts.joined(separator: [slash])
        return path.isEmpty ? [dot] : path
    }

    /// A scheme (RFC 3986, 3.1), `://`, and behind it nothing that a path would lose but a last slash: as a path,
    /// `a://../f` is the file `f`.
    private static func isPlainURI(_ name: ArraySlice<UInt8>) -> Bool {
        guard let colon = name.firstIndex(of: UInt8(ascii: ":")), name[(colon + 1)...].starts(with: "//".utf8),
            let first = name.first, (0x61...0x7A).contains(first | 0x20)
        else { return false }
        let isScheme = name[..<colon].allSatisfy {
            (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
        }
        var parts = name[(colon + 3)...].split(separator: slash, omittingEmptySubsequences: false)
        let authority = parts.removeFirst()
        if parts.last?.isEmpty == true { parts.removeLast() }
        return isScheme && !isDots(authority) && parts.allSatisfy { !$0.isEmpty && !isDots($0) }
    }

    private static func isDots(_ part: ArraySlice<UInt8>) -> Bool {
        part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8)
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")
}
