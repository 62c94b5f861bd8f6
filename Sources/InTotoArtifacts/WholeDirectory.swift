import InTotoMetadata

/// `dir:PATH` and `tree:PATH`: a directory as one artifact.
struct WholeDirectory {
    /// The one artifact, and what the walk below it met.
    struct Digest {
        var name: [UInt8]
        var digests = DigestSet()
        var notRecorded: [NotRecorded] = []
        var excluded: [Int: Int] = [:]
        var problems = ProblemList()
        var bytes: UInt64 = 0
    }

    private let reference: ArtifactReference
    private let options: SnapshotOptions

    init(_ reference: ArtifactReference, _ options: SnapshotOptions) {
        self.reference = reference
        self.options = options
    }

    func digest(_ report: @escaping @Sendable (SnapshotEvent) -> Void) -> Digest {
        var result = Digest(name: reference.wholeName)
        result.problems.append(reference.source, .notSupported("'\(reference.scheme.rawValue):'"))
        return result
    }
}
