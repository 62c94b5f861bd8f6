import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Signs a step's link and puts the files in their places; what cannot be signed or put there is kept elsewhere, and
/// where is said.
struct EvidenceWriter {
    let reserved: [ReservedEvidence]
    let formats: [EvidenceFormat]
    let signers: [any Signer]
    let convention: KeyIDConvention
    let overwrites: Bool
    /// How the command ended, for messages.
    let ending: String

    /// Returns what was written. Throws one failure that names every file that was kept instead.
    func write(_ link: Link) throws -> [WrittenEvidence] {
        let signed: [SignedEvidence]
        do { signed = try formats.flatMap { try $0.evidence(of: link, signedBy: signers) } } catch {
            throw failure(
                "evidence could not be signed: \(error)", cause: (error as? Failure)?.hint, keeping: unsigned(link))
        }
        return try put(
            reserved.compactMap { place in
                let evidence = signed.first { $0.format == place.format && $0.keyID == place.keyID }
                return evidence.map { (place, $0.bytes) }
            })
    }

    /// Every file is on disk before the first shows, so that what goes wrong in writing leaves none of them.
    private func put(_ files: [(place: ReservedEvidence, bytes: [UInt8])]) throws -> [WrittenEvidence] {
        do throws(StorageError) { for file in files { try file.place.file.prepare(file.bytes) } } catch {
            throw failure(
                "evidence could not be written: \(error)", cause: Self.cause(of: error), keeping: files.map(Self.named))
        }
        var written: [WrittenEvidence] = []
        var problems: [String] = []
        var kept: [KeptFile] = []
        for file in files {
            do throws(StorageError) {
                try file.place.file.place()
                written.append(WrittenEvidence(place: file.place, bytes: file.bytes))
            } catch {
                problems.append(error.description)
                kept.append(Self.named(file))
            }
        }
        guard problems.isEmpty else {
            let message = "evidence could not be written: \(problems.joined(separator: "; "))"
            throw failure(message, keeping: kept, written: written.map(\.path))
        }
        return written
    }

    private static func cause(of error: StorageError) -> String? {
        guard case .system(_, _, .fileTooLarge) = error else { return nil }
        return EvidenceOptions.hint(for: error)
    }

    private static func named(_ file: (place: ReservedEvidence, bytes: [UInt8])) -> KeptFile {
        KeptFile(name: file.place.file.path.lastComponent?.string ?? "evidence", bytes: file.bytes)
    }

    /// What would have been signed, in containers without signatures, which no verifier accepts.
    private func unsigned(_ link: Link) -> [KeptFile] {
        formats.compactMap { format in
            // What has no unsigned form, such as a statement without a subject, is what the message is about.
            guard let bytes = try? format.unsigned(link) else { return nil }
            return KeptFile(
                name: "\(link.name.text).\(format.rawValue).unsigned.json", bytes: bytes, unsignedFormat: format)
        }
    }

    /// Command lines that make the evidence from a kept payload, one for each file of it; for a shell.
    private func finishing(_ path: FilePath, _ format: EvidenceFormat) -> String {
        let option =
            (convention == .python ? "" : " --keyid-convention \(convention.rawValue)")
            + (overwrites ? " --overwrite" : "")
        return reserved.filter { $0.format == format }.map { place in
            let target = Text(place.file.path.string).shellWord
            return "intoto-run sign \(Text(path.string).shellWord) -k KEY\(option) -o \(target)"
        }.joined(separator: " and ")
    }

    /// `cause` is how the cause is removed.
    private func failure(
        _ message: String, cause: String? = nil, keeping files: [KeptFile], written: [FilePath] = []
    ) -> Failure {
        var hints = [cause].compactMap(\.self)
        hints += written.map { "\(escapedForTerminal($0.string.utf8)) was written" }
        for file in files {
            do {
                let path = try RescueFile.write(file.bytes, named: file.name)
                hints.append(
                    file.unsignedFormat.map { "the unsigned payload is kept: \(finishing(path, $0)) finishes it" }
                        ?? "it is kept, signed, in \(escapedForTerminal(path.string.utf8)); move it when the cause is gone"
                )
            } catch { hints.append("it could not be kept either: \(error)") }
        }
        return Failure(message, hint: (hints + [ending]).joined(separator: "; "))
    }
}

/// What could not be put in its place.
private struct KeptFile {
    let name: String
    let bytes: [UInt8]
    /// Where it is a payload without signatures: what would have been made of it.
    var unsignedFormat: EvidenceFormat?
}

/// A file of evidence that is in its place.
struct WrittenEvidence {
    let path: FilePath
    let format: EvidenceFormat
    let keyID: KeyID
    private let bytes: [UInt8]

    init(place: ReservedEvidence, bytes: [UInt8]) {
        path = place.file.path
        format = place.format
        keyID = place.keyID
        self.bytes = bytes
    }

    var size: Int { bytes.count }

    /// SHA-256 of the file, as hexadecimal digits; computed when asked for.
    func sha256() throws -> Text { Hex.encode(try MessageDigest.digest(.sha256, of: bytes)) }
}
