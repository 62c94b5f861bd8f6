/// Something that signs bytes with one key: a key file, a token, a program.
public protocol Signer: Sendable {
    /// What signatures and evidence file names are labelled with.
    var keyID: KeyID { get }
    /// Its signatures have a form that only classic metadata can hold.
    var isOpenPGP: Bool { get }
    /// Signs exactly `message`; the signature is labelled with `keyID`.
    func signature(over message: [UInt8]) throws -> Signature
}

extension Signer {
    public var isOpenPGP: Bool { false }
}
