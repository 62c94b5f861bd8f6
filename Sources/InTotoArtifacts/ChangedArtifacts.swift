public import InTotoMetadata

extension ArtifactSet {
    /// The artifacts that `earlier` does not have, or has with other digests or none that can be compared.
    public func changed(since earlier: ArtifactSet) -> ArtifactSet {
        var builder = Builder()
        var there = earlier.startIndex
        for artifact in self {
            while there < earlier.endIndex, earlier[there].name < artifact.name { there += 1 }
            if there < earlier.endIndex {
                let other = earlier[there]
                if other.name == artifact.name, other.digests.compare(with: artifact.digests) == .same { continue }
            }
            builder.append(artifact.name, artifact.digests)
        }
        // A part of a set has no name twice.
        return (try? builder.finish()) ?? self
    }
}
