/// A digest algorithm by the name that metadata gives it, such as `sha256` or `gitCommit`.
///
/// Unknown names are kept as they are. Spec: in-toto attestation v1, DigestSet.
public struct DigestAlgorithm: Hashable, Comparable, Sendable {
    public let name: Text

    public init(_ name: Text) { self.name = name }

    public static let sha256 = DigestAlgorithm("sha256")
    public static let sha384 = DigestAlgorithm("sha384")
    public static let sha512 = DigestAlgorithm("sha512")
    public static let gitBlob = DigestAlgorithm("gitBlob")
    public static let gitTree = DigestAlgorithm("gitTree")
    public static let gitCommit = DigestAlgorithm("gitCommit")
    public static let gitTag = DigestAlgorithm("gitTag")
    public static let dirHash = DigestAlgorithm("dirHash")

    public static func < (a: Self, b: Self) -> Bool { a.name < b.name }

    /// Digests that name a content beyond doubt today; others may be shown but decide nothing.
    public var isStrong: Bool { strongLengths != nil }

    /// Hexadecimal digits that a strong digest has; nil for one that is not.
    var strongLengths: Set<Int>? { Self.strongLengths[name] }

    /// Git has objects of SHA-1, which it checks for the known collisions, and of SHA-256; the BLAKE2 family has digests of
    /// several lengths under one name.
    private static let strongLengths: [Text: Set<Int>] = [
        "sha256": [64], "sha384": [96], "sha512": [128], "sha512_256": [64], "sha3_256": [64], "sha3_384": [96],
        "sha3_512": [128], "blake2b": [64, 96, 128], "blake2s": [64], "dirHash": [64], "gitBlob": [40, 64],
        "gitTree": [40, 64], "gitCommit": [40, 64], "gitTag": [40, 64],
    ]
}

/// The digests of one artifact, by algorithm. Spec: in-toto attestation v1, DigestSet; in-toto v1.0, 4.2.1.
///
/// Values are the text that metadata has: lower-case hexadecimal when we write it.
public struct DigestSet: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public let algorithm: DigestAlgorithm
        public let value: Text

        /// Whether equal entries mean equal content: a cut digest says less than its algorithm's name.
        package var isStrong: Bool {
            guard let lengths = algorithm.strongLengths else { return false }
            return lengths.contains(value.utf8.count) && Hex.decode(value) != nil
        }
    }

    /// Sorted by algorithm name; each algorithm once.
    public private(set) var entries: [Entry]

    public init() { entries = [] }

    public init(_ algorithm: DigestAlgorithm, _ value: Text) {
        entries = [Entry(algorithm: algorithm, value: value)]
    }

    public subscript(algorithm: DigestAlgorithm) -> Text? {
        get { entries.first { $0.algorithm == algorithm }?.value }
        set {
            entries.removeAll { $0.algorithm == algorithm }
            guard let newValue else { return }
            let place = entries.firstIndex { algorithm < $0.algorithm } ?? entries.endIndex
            entries.insert(Entry(algorithm: algorithm, value: newValue), at: place)
        }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// How two digest sets of supposedly one content compare.
    public enum Comparison: Hashable, Sendable {
        case same, different
        /// No strong algorithm is in both: nothing can be said.
        case incomparable
    }

    /// Same where at least one strong algorithm is shared and every shared one is equal, hexadecimal in either case.
    ///
    /// Two equal texts that are no digest, such as two empty ones, say nothing.
    public func compare(with other: DigestSet) -> Comparison {
        var sharesStrong = false
        for entry in entries {
            guard let value = other[entry.algorithm] else { continue }
            guard entry.value.asciiLowercased == value.asciiLowercased else { return .different }
            sharesStrong = sharesStrong || entry.isStrong
        }
        return sharesStrong ? .same : .incomparable
    }

    /// Whether a strong digest is equal in both, whatever the others are.
    func shares(with other: DigestSet) -> Bool {
        entries.contains { $0.isStrong && other[$0.algorithm]?.asciiLowercased == $0.value.asciiLowercased }
    }
}

extension DigestSet: CustomStringConvertible {
    /// Safe to print.
    public var description: String {
        entries.map { "\($0.algorithm.name.escaped):\($0.value.escaped)" }.joined(separator: " ")
    }
}

extension Text {
    /// ASCII letters in lower case, everything else as it is.
    package var asciiLowercased: Text {
        Text(trusted: utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 })
    }
}
