import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// The file of a step that was begun and not finished.
struct UnfinishedFile {
    let directory: EvidenceDirectory
    let name: String

    private var path: FilePath { directory.path.appending(name) }

    /// When it was written, as `EvidenceDirectory` has it.
    var modified: Duration? { directory.modified(name) }

    /// The one record of `step` that `keys` have begun, in one of `directories`, which are looked through in order.
    static func find(_ step: StepName, _ keys: [PublicKey], in directories: [FilePath]) throws -> UnfinishedFile {
        let prefixes = Set(keys.flatMap(\.knownKeyIDs).map(\.prefix8))
        var found: [UnfinishedFile] = []
        var others: [Text] = []
        for directory in try distinct(directories) {
            for name in try listing(directory) {
                guard let prefix = EvidenceName.keyIDPrefix(inUnfinished: name, of: step) else { continue }
                guard prefixes.contains(prefix) else {
                    others.append(prefix)
                    continue
                }
                found.append(UnfinishedFile(directory: directory, name: String(decoding: name, as: UTF8.self)))
            }
        }
        guard let file = found.first else { throw absence(of: step, others: others, directories) }
        guard found.count == 1 else {
            let paths = found.map { escapedForTerminal($0.path.string.utf8) }.joined(separator: ", ")
            throw Failure(
                "there are \(found.count) unfinished records of step '\(step)': \(paths)",
                hint: "say which with --from FILE")
        }
        return file
    }

    /// The record that the user names.
    init(at path: String) throws {
        let path = FilePath(path)
        do { directory = try EvidenceDirectory(of: path) } catch { throw Failure("\(error)") }
        name = path.lastComponent?.string ?? ""
    }

    private init(directory: EvidenceDirectory, name: String) {
        self.directory = directory
        self.name = name
    }

    private static func distinct(_ paths: [FilePath]) throws -> [EvidenceDirectory] {
        var directories: [EvidenceDirectory] = []
        do {
            for path in paths {
                let directory = try EvidenceDirectory(path)
                if !directories.contains(where: directory.isSame) { directories.append(directory) }
            }
        } catch { throw Failure("\(error)", hint: "give a directory that exists with --metadata-directory") }
        return directories
    }

    private static func listing(_ directory: EvidenceDirectory) throws -> [[UInt8]] {
        do { return try directory.names() } catch { throw Failure("\(error)") }
    }

    private static func absence(of step: StepName, others: [Text], _ directories: [FilePath]) -> Failure {
        guard others.isEmpty else {
            let ids = others.map(\.escaped).joined(separator: ", ")
            return Failure(
                "step '\(step)' was begun with another key: \(ids)", hint: "finish it with the key that began it")
        }
        let places = directories.map { escapedForTerminal($0.string.utf8) }.joined(separator: " and ")
        return Failure(
            "no unfinished record of step '\(step)' in \(places)",
            hint: "intoto-run record start begins one; -d says where it is")
    }

    /// What the record says, once every one of `keys` has signed it, and it belongs to `step` and `directory`.
    func read(
        _ step: StepName, signedBy keys: [PublicKey], in workingDirectory: [UInt8]
    ) throws -> UnfinishedRecord {
        let shown = escapedForTerminal(path.string.utf8)
        let record: UnfinishedRecord
        do {
            record = try envelope(shown).authenticatedRecord(by: keys).payload
        } catch let error as AuthenticationError {
            throw Failure(
                "\(shown): \(error)", hint: "finish a step with the keys that began it, in a file that nobody changed",
                status: error.isRefusal ? ExitStatus.no : nil)
        }
        guard record.link.name == step else {
            throw Failure("\(shown): is about step '\(record.link.name)', not '\(step)'")
        }
        guard record.directory == workingDirectory else {
            throw Failure(
                "\(shown): the step was begun in another directory: \(escapedForTerminal(record.directory))",
                hint: "finish it there, since its paths lead from there")
        }
        return record
    }

    private func envelope(_ shown: String) throws -> Envelope {
        let metadata: SignedMetadata
        do { metadata = try SignedMetadata(BoundedReader.contents(of: path)) } catch {
            throw Failure.reading(path.string, error)
        }
        let foreign = Failure(
            "\(shown): was begun by another tool, whose unfinished records are not exchanged",
            hint: "finish it with that tool, or move it away and begin anew")
        switch metadata {
        case .metablock: throw foreign
        case .envelope(let envelope) where envelope.payloadType == UnfinishedRecord.payloadType: return envelope
        case .envelope(let envelope) where envelope.payloadType == Envelope.inTotoPayloadType: throw foreign
        case .envelope: throw Failure("\(shown): is no unfinished record")
        }
    }

    /// The step is finished: takes the record away.
    func remove() throws {
        do { try directory.remove(name) } catch {
            throw Failure("\(error)", hint: "the evidence is written; remove the record yourself")
        }
    }
}

extension [any Signer] {
    /// What a step that is recorded in halves is bound to; throws for signers whose signatures we do not check.
    func publicKeys() throws -> [PublicKey] {
        try map { signer in
            guard let signer = signer as? any CheckableSigner else {
                throw Failure(
                    "a step is not recorded in halves with an OpenPGP key, whose signatures are not checked here",
                    hint: "give another key, or intoto-run -x for evidence without a command")
            }
            return signer.publicKey
        }
    }
}
