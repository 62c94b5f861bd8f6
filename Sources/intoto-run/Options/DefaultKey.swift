import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// The user's own key, for those who name none. The only thing that is read from home.
struct DefaultKey {
    let path: FilePath

    /// Nil where there is no home to have it in.
    init?(in context: CommandContext) {
        func directory(_ name: String) -> FilePath? {
            guard let value = context.variable(name).flatMap(Text.init(validating:)) else { return nil }
            let path = FilePath(value.description)
            // The XDG specification has relative ones ignored.
            return path.isAbsolute ? path : nil
        }
        guard let data = directory("XDG_DATA_HOME") ?? directory("HOME")?.appending(".local/share") else { return nil }
        path = data.appending("intoto-run").appending("default.pem")
    }

    /// Makes it on first use, and says so. Of two runs that do it at once, one makes it and both use it.
    func makeIfAbsent(in context: CommandContext) throws {
        guard !KeyFile.exists(path) else { return }
        do {
            try KeyFile.createDirectories(path.removingLastComponent())
            let key = try PrivateKey.generate(.ed25519)
            do {
                try key.pem(passphrase: nil).withUnsafeBytes { bytes throws in
                    try KeyFile.create(path, bytes, mode: 0o600, replacing: false)
                }
            } catch StorageError.alreadyExists { return }
            let publicPath = FilePath(path.string + ".pub")
            try key.publicKey.pem.utf8.withUnsafeBytes { bytes throws in
                try KeyFile.create(publicPath, bytes, mode: 0o644, replacing: true)
            }
            context.note(
                "intoto-run: made a key of your own, \(Text(path.string).escaped), with key id "
                    + "\(key.publicKey.keyID(.python)); verifiers need \(Text(publicPath.string).escaped)")
        } catch let error as StorageError { throw Failure("no key to sign with: \(error)", hint: Self.hint) }
    }

    static let hint = "give --key FILE; intoto-run key generate FILE makes one"
}
