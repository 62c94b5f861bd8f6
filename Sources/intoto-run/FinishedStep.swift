import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// A step that is finished although its unfinished record is still there: `record stop` was ended between the two.
struct FinishedStep {
    let evidence: [FilePath]

    /// Nil unless each of `places` in `directory` is evidence of the step that `record` is of (its materials, its
    /// beginning), signed by `keys`, one for each signer, and younger than the record's `file`: two steps of one name
    /// may begin within one second.
    init?(
        _ record: UnfinishedRecord, of file: UnfinishedFile,
        _ places: [(format: EvidenceFormat, keyID: KeyID, name: String)], in directory: String,
        signedBy keys: [PublicKey], in context: CommandContext
    ) {
        // Making room for the evidence says what is wrong with it.
        guard let directory = try? EvidenceDirectory(FilePath(directory)) else { return nil }
        for place in places {
            let signers =
                place.format.container == .bundle ? keys : keys.filter { $0.knownKeyIDs.contains(place.keyID) }
            guard let written = directory.modified(place.name), let begun = file.modified, begun < written,
                !signers.isEmpty
            else { return nil }
            // What cannot be read or was signed by others is not ours.
            let path = directory.path.appending(place.name).string
            guard let link = try? EvidenceFile(reading: path, in: context).link(signedBy: signers),
                link.name == record.link.name, link.materials == record.link.materials,
                link.byproducts["started"] == record.link.byproducts["started"]
            else { return nil }
        }
        evidence = places.map { directory.path.appending($0.name) }
    }
}
