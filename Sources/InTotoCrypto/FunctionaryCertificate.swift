private import COpenSSL
public import InTotoMetadata

/// An X.509 certificate: a key, and what an authority says about who holds it. Spec: RFC 5280; ITE-7.
// Unchecked: OpenSSL documents that threads may share a certificate that nobody changes, and nobody changes it.
public final class FunctionaryCertificate: @unchecked Sendable {
    public let publicKey: PublicKey
    /// What the certificate says of its subject, each value once.
    public let subject: CertificateSubject
    private let pointer: OpaquePointer

    /// Reads PEM: the first certificate in it.
    public init(pem: Text) throws(KeyError) {
        guard OpenSSL.isReady, pem.utf8.count <= keySizeLimit else { throw .tooLarge(limit: keySizeLimit) }
        pointer = try pem.utf8.withUnsafeBytesThrowing { text throws(KeyError) in
            guard let block = try PEM.blocks(in: text).first(where: { $0.label == "CERTIFICATE" }),
                let der = PEM.decode(UnsafeRawBufferPointer(rebasing: text[block.body]))
            else { throw .notAKey }
            let read = der.withUnsafeBytes { bytes in
                var position = bytes.bindMemory(to: UInt8.self).baseAddress
                return d2i_X509(nil, &position, bytes.count)
            }
            guard let read else {
                ERR_clear_error()
                throw .damaged
            }
            return read
        }
        do throws(KeyError) {
            let handle: KeyHandle
            do { handle = try KeyHandle(X509_get_pubkey(pointer), "read a certificate's key") } catch {
                throw .damaged
            }
            let spki: [UInt8]
            do { spki = try handle.encodedPublicPart() } catch { throw .crypto(error) }
            publicKey = try PublicKey(spki: spki)
            subject = try CertificateSubject(pointer)
        } catch {
            X509_free(pointer)
            throw error
        }
    }

    deinit { X509_free(pointer) }

    /// Whether the key may sign evidence: where the certificate restricts its use, `digitalSignature` must be allowed,
    /// and server authentication (which is what in-toto-golang asks for), code signing or any use.
    public var maySign: Bool {
        guard X509_get_extension_flags(pointer) & UInt32(EXFLAG_INVALID) == 0 else { return false }
        let usage = X509_get_key_usage(pointer)
        let extended = X509_get_extended_key_usage(pointer)
        let wanted = UInt32(XKU_SSL_SERVER | XKU_CODE_SIGN | XKU_ANYEKU)
        return (usage == .max || usage & UInt32(KU_DIGITAL_SIGNATURE) != 0)
            && (extended == .max || extended & wanted != 0)
    }

    /// Whether a chain leads from this certificate over some of `intermediates` to `root`, all of them valid at that time.
    ///
    /// The system's own roots are never used.
    public func leads(
        to root: FunctionaryCertificate, over intermediates: [FunctionaryCertificate], at time: UTCTime
    ) throws(CryptoError) -> Bool {
        guard let store = X509_STORE_new() else { throw .fromErrorQueue("make a certificate store") }
        defer { X509_STORE_free(store) }
        guard X509_STORE_add_cert(store, root.pointer) == 1, let stack = intoto_x509_stack() else {
            throw .fromErrorQueue("fill a certificate store")
        }
        defer { intoto_x509_stack_free(stack) }
        for certificate in intermediates where intoto_x509_push(stack, certificate.pointer) < 1 {
            throw .fromErrorQueue("fill a certificate store")
        }
        guard let context = X509_STORE_CTX_new() else { throw .fromErrorQueue("check a certificate") }
        defer { X509_STORE_CTX_free(context) }
        guard X509_STORE_CTX_init(context, store, pointer, stack) == 1,
            let parameters = X509_STORE_CTX_get0_param(context),
            // What the layout calls a root is one, whoever signed it.
            X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN)) == 1
        else { throw .fromErrorQueue("check a certificate") }
        X509_VERIFY_PARAM_set_time(parameters, time_t(time.secondsSinceEpoch))
        // 112 bits: no RSA key below 2048, no SHA-1.
        X509_VERIFY_PARAM_set_auth_level(parameters, 2)
        X509_VERIFY_PARAM_set_depth(parameters, 8)
        let isGood = X509_verify_cert(context) == 1
        ERR_clear_error()
        return isGood
    }
}

/// What a certificate says of its subject.
public struct CertificateSubject: Sendable {
    public private(set) var commonNames: Set<Text> = []
    public private(set) var organizations: Set<Text> = []
    public private(set) var dnsNames: Set<Text> = []
    public private(set) var emails: Set<Text> = []
    public private(set) var uris: Set<Text> = []

    fileprivate init(_ certificate: OpaquePointer) throws(KeyError) {
        commonNames = try Self.values(NID_commonName, of: certificate)
        organizations = try Self.values(NID_organizationName, of: certificate)
        try readAlternativeNames(of: certificate)
    }

    private static func values(_ kind: Int32, of certificate: OpaquePointer) throws(KeyError) -> Set<Text> {
        var values: Set<Text> = []
        let name = X509_get_subject_name(certificate)
        var index = X509_NAME_get_index_by_NID(name, kind, -1)
        while index >= 0 {
            let entry = X509_NAME_get_entry(name, index)
            var bytes: UnsafeMutablePointer<UInt8>?
            let length = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(entry))
            guard length >= 0, let bytes else {
                ERR_clear_error()
                throw .damaged
            }
            defer { CRYPTO_free(bytes, nil, 0) }
            guard let text = Text(validating: UnsafeBufferPointer(start: bytes, count: Int(length))) else {
                throw .damaged
            }
            values.insert(text)
            index = X509_NAME_get_index_by_NID(name, kind, index)
        }
        return values
    }

    private mutating func readAlternativeNames(of certificate: OpaquePointer) throws(KeyError) {
        var critical: Int32 = 0
        guard let names = intoto_alternative_names(certificate, &critical) else {
            ERR_clear_error()
            guard critical == -1 else { throw .damaged }
            return
        }
        defer { GENERAL_NAMES_free(names) }
        for index in 0..<intoto_alternative_name_count(names) {
            var string: UnsafeMutablePointer<ASN1_STRING>?
            let kind = intoto_alternative_name(names, index, &string)
            guard let string else { continue }
            let bytes = UnsafeBufferPointer(
                start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
            guard let text = Text(validating: bytes) else { throw .damaged }
            switch kind {
            case GEN_DNS: dnsNames.insert(text)
            case GEN_EMAIL: emails.insert(text)
            default: uris.insert(text)
            }
        }
    }
}
