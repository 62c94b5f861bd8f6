import InTotoMetadata
import Testing

@testable import InTotoCrypto

/// AlgorithmIdentifier (RFC 5280, 4.1.1.2; RFC 5480, 2.1.1; RFC 8410, 3): each form that is taken, and its neighbours.
@Suite struct KeySchemeTests {
    private static let ed25519: [UInt8] = [0x06, 3, 0x2B, 0x65, 0x70]
    private static let rsa: [UInt8] = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1]
    private static let ec: [UInt8] = [0x06, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1]
    private static let p256: [UInt8] = [0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7]
    private static let null: [UInt8] = [0x05, 0]
    private static let sequence: [UInt8] = [0x30, 0]

    private func scheme(_ content: [UInt8]) throws(KeyError) -> KeyScheme {
        try ([0x30, UInt8(content.count)] + content).withUnsafeBytesThrowing { bytes throws(KeyError) in
            guard let identifier = DERReader.only(.sequence, in: bytes) else { throw .notAKey }
            return try KeyScheme(algorithm: identifier)
        }
    }

    @Test func `algorithms are taken with the parameters that they have`() throws {
        #expect(try scheme(Self.ed25519) == .ed25519)
        #expect(try scheme(Self.rsa + Self.null) == scheme(Self.rsa))
        #expect(try scheme(Self.ec + Self.p256) == .ecdsaP256)
    }

    @Test(arguments: [
        ed25519 + null, ed25519 + ed25519, rsa + null + null, rsa + sequence, ec, ec + null, ec + p256 + null, null, [],
    ])
    func `algorithms with other parameters are damaged`(content: [UInt8]) {
        #expect(throws: KeyError.damaged) { try scheme(content) }
    }

    @Test func `a curve that is described instead of named is refused as that`() {
        #expect(throws: KeyError.explicitCurve) { try scheme(Self.ec + Self.sequence) }
    }
}
