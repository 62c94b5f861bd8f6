/// Where the public key stands in an X.509 certificate. Spec: RFC 5280, 4.1.
///
/// The key is all that is taken: who issued the certificate, and for how long, means nothing here.
enum Certificate {
    static func subjectPublicKeyInfo(_ der: UnsafeRawBufferPointer) throws(KeyError) -> [UInt8] {
        guard var certificate = DERReader.only(.sequence, in: der), var fields = certificate.read(.sequence) else {
            throw .damaged
        }
        _ = fields.read(.context0)
        guard fields.read(.integer) != nil else { throw .damaged }
        // Signature algorithm, issuer, validity, subject.
        for _ in 0..<4 { guard fields.read(.sequence) != nil else { throw .damaged } }
        guard let key = fields.read(.sequence) else { throw .damaged }
        return DERWriter.element(.sequence, key.bytes)
    }
}
