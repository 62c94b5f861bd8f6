import FoundationEssentials
import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Keeps what a run has recorded where the rest could not be, so that `record stop` can complete it.
struct RecordKeeper {
    let request: StepRequest
    let formats: [EvidenceFormat]
    let signers: [any Signer]
    /// Where evidence would have gone, held open since before the command.
    let directory: EvidenceDirectory?
    /// Options that `record stop` is to be given.
    let finishing: [String]
    let builder: LinkBuilder
    let began: Date

    /// Keeps the record, and says how the command ended and what completes it. `cause` is how the cause is removed.
    func failure(_ reason: String, cause: String?, _ step: RecordedStep, in context: CommandContext) -> Failure {
        let ending = Self.ending(step.execution?.result.termination)
        do {
            var step = step
            step.products = ArtifactSet()
            let record = UnfinishedRecord(
                step, of: request, formats: formats, directory: context.workingDirectory, begun: began,
                builder: builder)
            let path = try write(record.signed(by: signers))
            let command = command(path)
            return Failure(
                "no evidence was written: \(reason)",
                hint: "\(ending), and what was recorded is kept; \(cause ?? "remove the cause"), then: \(command)")
        } catch {
            return Failure(
                "no evidence was written: \(reason)",
                hint: "\(ending); what was recorded could not be kept: \(error); run the step again")
        }
    }

    /// Returns nil where the record stands in its proper place, else where it is.
    private func write(_ bytes: [UInt8]) throws -> FilePath? {
        guard let directory, let keyID = signers.first?.keyID else { return nil }
        let name = EvidenceName.unfinished(step: request.name, keyID: keyID)
        do throws(StorageError) {
            try directory.reserve(name, overwrite: false).commit(bytes)
            return nil
        } catch {
            // Another step of that name is under way, or the directory takes no more.
            return try RescueFile.write(bytes, named: String(name.dropFirst()))
        }
    }

    private func command(_ path: FilePath?) -> String {
        let from = path.map { ["--from", $0.string] } ?? []
        let words = ["-n", request.name.text.description] + finishing + from
        return "intoto-run record stop " + words.map { Text($0).shellWord }.joined(separator: " ")
    }

    static func ending(_ termination: Termination?) -> String {
        switch termination {
        case nil: "there was no command"
        case .exited(let status)?: "the command ran and exited with status \(status)"
        case .signalled(let number)?: "the command ran and was ended by signal \(number)"
        }
    }
}
