/// Something that signs bytes with one key: a key file, a token, a program.
///
/// `sign` returns the raw form that `Signature.bytes` describes, over exactly the bytes given.
public protocol Signer: Sendable {
    /// What signatures and evidence file names are labelled with.
    var keyID: KeyID { get }
    func sign(_ message: [UInt8]) throws -> [UInt8]
}
