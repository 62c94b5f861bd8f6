import InTotoCrypto
import SystemPackage

/// Reads single artifacts: opens, checks what was opened, hashes that, and checks again.
final class ArtifactReader {
    enum Outcome {
        /// The digests in hexadecimal, one after the other.
        case digests([UInt8], size: UInt64, isLinkText: Bool, isExecutable: Bool)
        case notRecorded(NotRecorded.Reason)
        case problem(SnapshotProblem.Reason)
    }

    private let rules: WalkRules
    private let hasher: FileHasher
    /// File systems seen: whether their files are no files. By device number.
    private var pseudoDevices: [UInt64: Bool] = [:]

    init(_ rules: WalkRules) throws(CryptoError) {
        self.rules = rules
        hasher = try FileHasher(rules.digests, rules.lineEndings)
    }

    /// Opens a file and looks at what it is. Nil where it is not to be read: `outcome` says why.
    func open(
        _ name: [UInt8], in directory: Int32, _ outcome: (Outcome) -> Void
    ) throws(FileHasher.Failure) -> OpenArtifact? {
        let descriptor = try openFile(name, in: directory)
        let status = try FileHasher.wrap { () throws(SystemError) in try SystemCalls.status(descriptor.number) }
        if rules.ownFiles.contains(where: { $0.identity == status.identity }) {
            outcome(.notRecorded(.ownFile))
        } else if status.kind != .regular {
            outcome(.problem(.changedWhileRead))
        } else if isPseudo(descriptor.number, status) {
            outcome(.notRecorded(.pseudoFileSystem))
        } else {
            return OpenArtifact(descriptor: descriptor, status: status)
        }
        return nil
    }

    /// Hashes the whole file with OpenSSL.
    func read(
        _ file: borrowing OpenArtifact, didRead: (Int) throws(FileHasher.Failure) -> Void
    ) throws(FileHasher.Failure) -> Outcome {
        var digests: [UInt8] = []
        try hasher.hash(file.descriptor.number, file.status, into: &digests, didRead: didRead)
        return .digests(
            digests, size: UInt64(file.status.size), isLinkText: false, isExecutable: file.status.isExecutable)
    }

    private func openFile(_ name: [UInt8], in directory: Int32) throws(FileHasher.Failure) -> Descriptor {
        do { return try SystemCalls.openFile(name[...], in: directory) } catch {
            // It was a regular file when the directory was listed, and is a link now.
            throw error.code == .tooManySymbolicLinkLevels ? .changed : .system(error)
        }
    }

    /// Hashes a link's own text.
    func readLink(_ name: [UInt8], in directory: Int32) -> Outcome {
        do {
            let target = try SystemCalls.linkTarget(name[...], in: directory)
            var digests: [UInt8] = []
            try hasher.hash(target, into: &digests)
            return .digests(digests, size: UInt64(target.count), isLinkText: true, isExecutable: false)
        } catch let error as SystemError {
            return .problem(.init(error))
        } catch {
            return .problem(.failed("\(error)"))
        }
    }

    /// Whether a file is on a file system without real files. Asked once per device.
    func isPseudo(_ descriptor: Int32, _ status: FileStatus) -> Bool {
        if let known = pseudoDevices[status.identity.device] { return known }
        let isPseudo = PseudoFileSystem.holds(descriptor)
        pseudoDevices[status.identity.device] = isPseudo
        return isPseudo
    }
}
