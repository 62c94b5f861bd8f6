public import InTotoMetadata

extension ArtifactSet {
    /// The artifacts that `earlier` does not have, or has with other digests or none that can be compared; and those of
    /// `otherKind`, whose digests mean something else by now: a link's text may be what the file held.
    public func changed(since earlier: ArtifactSet, otherKind: Set<ArtifactName> = []) -> ArtifactSet {
        var builder = Builder()
        var there = earlier.startIndex
        for artifact in self {
            while there < earlier.endIndex, earlier[there].name < artifact.name { there += 1 }
            if there < earlier.endIndex {
                let other = earlier[there]
                let isSame = other.name == artifact.name && other.digests.compare(with: artifact.digests) == .same
                if isSame, !otherKind.contains(artifact.name) { continue }
            }
            builder.append(artifact.name, artifact.digests)
        }
        // A part of a set has no name twice.
        return (try? builder.finish()) ?? self
    }
}
