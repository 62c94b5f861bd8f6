import ArgumentParser
import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// In which forms evidence is written, and where.
struct EvidenceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "attestation, dsse-link or link; attestation may stand together with one of the others.",
            valueName: "format"))
    var format: EvidenceFormatList?

    @Flag(name: .customLong("use-dsse"), help: "The same as --format dsse-link.")
    var usesDSSE = false

    @Option(
        name: [.customShort("d"), .customLong("metadata-directory")],
        help: ArgumentHelp("Where evidence goes; must exist.", valueName: "dir"))
    var directory = "."

    @Flag(help: "Replace evidence that is already there.")
    var overwrite = false

    func formats() throws -> [EvidenceFormat] {
        switch (format, usesDSSE) {
        case (nil, true): return [.dsseLink]
        case (nil, false): return [.attestation]
        case (let list?, false): return try Self.checked(list.formats)
        case (let list?, true):
            guard list.formats == [.dsseLink] else {
                throw Failure("--use-dsse and --format contradict each other", hint: "give one of them")
            }
            return list.formats
        }
    }

    /// Nil where the user has not said which.
    func givenFormats() throws -> [EvidenceFormat]? { format == nil && !usesDSSE ? nil : try formats() }

    private static func checked(_ formats: [EvidenceFormat]) throws -> [EvidenceFormat] {
        guard formats.contains(.link) && formats.contains(.dsseLink) else { return formats }
        throw Failure(
            "formats link and dsse-link have the same file name and cannot be written together",
            hint: "run twice into different directories, or give one of them with attestation")
    }

    /// Makes room for each file of evidence, before anything runs.
    func reserve(_ formats: [EvidenceFormat], _ name: StepName, _ signers: [any Signer]) throws -> [ReservedEvidence] {
        do throws(StorageError) {
            let directory = try EvidenceDirectory(FilePath(directory))
            directory.removeAbandonedFiles()
            var reserved: [ReservedEvidence] = []
            for place in Self.places(formats, name, signers) {
                let file = try directory.reserve(place.name, overwrite: overwrite)
                reserved.append(ReservedEvidence(format: place.format, keyID: place.keyID, file: file))
            }
            return reserved
        } catch {
            throw Failure(error.description, hint: Self.hint(for: error))
        }
    }

    /// The files of a step's evidence.
    static func places(
        _ formats: [EvidenceFormat], _ name: StepName, _ signers: [any Signer]
    ) -> [(format: EvidenceFormat, keyID: KeyID, name: String)] {
        formats.flatMap { format in
            format.keyIDs(signers).map { (format: format, keyID: $0, name: format.fileName(name, $0)) }
        }
    }

    static func hint(for error: StorageError) -> String? {
        switch error {
        case .alreadyExists: "give --overwrite to replace it, or another name or directory"
        case .system(_, _, .fileTooLarge): "raise the limit on the size of files (ulimit -f)"
        case .system(_, _, .tooManyOpenFiles), .system(_, _, .tooManyOpenFilesInSystem): Failure.descriptorHint
        case .system: "give a directory that exists and may be written with --metadata-directory"
        default: nil
        }
    }
}

/// A place for one file of evidence.
struct ReservedEvidence {
    var format: EvidenceFormat
    var keyID: KeyID
    var file: PendingFile
}

extension OwnFile {
    /// The temporary file of one that is to be written.
    init(_ file: PendingFile) {
        let directory = file.directory.identity
        self.init(
            directory: FileIdentity(device: directory.device, inode: directory.inode),
            name: Array(file.temporaryName.utf8),
            identity: FileIdentity(device: file.identity.device, inode: file.identity.inode))
    }
}

/// One or two formats, separated by a comma.
struct EvidenceFormatList: ExpressibleByArgument {
    let formats: [EvidenceFormat]

    init?(argument: String) {
        var formats: [EvidenceFormat] = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let format = EvidenceFormat(rawValue: String(word)) else { return nil }
            if !formats.contains(format) { formats.append(format) }
        }
        self.formats = formats
    }

    static var allValueStrings: [String] { EvidenceFormat.allCases.map(\.rawValue) }
}

extension EvidenceFormat {
    fileprivate func fileName(_ name: StepName, _ keyID: KeyID) -> String {
        switch container {
        case .bundle: EvidenceName.bundle(step: name, keyID: keyID)
        case .linkFile: EvidenceName.link(step: name, keyID: keyID)
        }
    }
}
