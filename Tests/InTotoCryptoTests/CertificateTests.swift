import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Certificates made by the `openssl` program: which keys may sign, and which chain leads to a root. Spec: ITE-7.
@Suite(.temporaryDirectory) struct CertificateTests {
    var directory: URL { TemporaryDirectory.current }

    func openssl(_ arguments: String...) throws {
        let result = try Subprocess.run("/usr/bin/env", ["openssl"] + arguments, in: directory)
        guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: result.errorText) }
    }

    func certificate(_ name: String) throws -> FunctionaryCertificate {
        let bytes = try Data(contentsOf: directory.appending(path: "\(name).pem"))
        return try FunctionaryCertificate(pem: Text(String(decoding: bytes, as: UTF8.self)))
    }

    /// Makes `name.pem` and its throwaway key: signed by itself, or by `issuer`.
    @discardableResult
    func make(
        _ name: String, issuer: String? = nil,
        key: [String] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        extensions: [String] = [], options: [String] = [], subject: String? = nil
    ) throws -> FunctionaryCertificate {
        let signer = issuer.map { ["-CA", "\($0).pem", "-CAkey", "\($0).key"] } ?? []
        let result = try Subprocess.run(
            "/usr/bin/env",
            [
                "openssl", "req", "-x509", "-nodes", "-subj", subject ?? "/CN=\(name)/O=Example", "-keyout",
                "\(name).key",
            ]
                + ["-out", "\(name).pem", "-days", "36500"] + key + signer + options
                + extensions.flatMap { ["-addext", $0] }, in: directory)
        guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: result.errorText) }
        return try certificate(name)
    }

    static let authority = ["basicConstraints=critical,CA:TRUE"]
    static let leaf = ["basicConstraints=critical,CA:FALSE"]
    static var now: UTCTime { UTCTime(secondsSinceEpoch: Int64(Date().timeIntervalSince1970) + 60) }

    // MARK: Use

    @Test(
        arguments: [
            ([], true), (["keyUsage=digitalSignature"], true),
            (["keyUsage=critical,digitalSignature,keyAgreement"], true),
            (["keyUsage=keyAgreement"], false), (["keyUsage=nonRepudiation"], false),
            (["extendedKeyUsage=codeSigning"], true), (["extendedKeyUsage=serverAuth"], true),
            (["extendedKeyUsage=anyExtendedKeyUsage"], true), (["extendedKeyUsage=clientAuth"], false),
            (["extendedKeyUsage=timeStamping"], false),
            (["keyUsage=digitalSignature", "extendedKeyUsage=clientAuth"], false),
            (["keyUsage=keyAgreement", "extendedKeyUsage=codeSigning"], false),
            // A critical list of constraints whose content is no such list.
            (["nameConstraints=critical,DER:0500"], false),
        ] as [([String], Bool)])
    func `a certificate that restricts the use of its key is heeded`(extensions: [String], maySign: Bool) throws {
        #expect(try make("leaf", extensions: Self.leaf + extensions).maySign == maySign)
    }

    // MARK: Chains

    @Test func `a certificate leads to the root that signed it, and to no other`() throws {
        let root = try make("root", extensions: Self.authority)
        let other = try make("other", extensions: Self.authority, subject: "/CN=root/O=Example")
        let leaf = try make("leaf", issuer: "root", extensions: Self.leaf)
        #expect(try leaf.leads(to: root, over: [], at: Self.now))
        #expect(!(try leaf.leads(to: other, over: [], at: Self.now)))
        #expect(!(try leaf.leads(to: other, over: [root], at: Self.now)))
        let stranger = try make("stranger", extensions: Self.leaf)
        #expect(!(try stranger.leads(to: root, over: [stranger], at: Self.now)))
    }

    @Test func `what the layout calls a root is one, whoever signed it`() throws {
        let root = try make("root", extensions: Self.authority)
        let intermediate = try make("intermediate", issuer: "root", extensions: Self.authority)
        let leaf = try make("leaf", issuer: "intermediate", extensions: Self.leaf)
        #expect(try leaf.leads(to: intermediate, over: [], at: Self.now))
        #expect(try leaf.leads(to: root, over: [intermediate], at: Self.now))
        #expect(!(try leaf.leads(to: root, over: [], at: Self.now)))
    }

    @Test func `an issuer has to be an authority`() throws {
        let root = try make("root", extensions: Self.authority)
        let between = try make("between", issuer: "root", extensions: Self.leaf)
        let leaf = try make("leaf", issuer: "between", extensions: Self.leaf)
        #expect(!(try leaf.leads(to: root, over: [between], at: Self.now)))
    }

    @Test func `every certificate has to be valid at the time that is asked about`() throws {
        let root = try make("root", extensions: Self.authority)
        let leaf = try make("leaf", issuer: "root", extensions: Self.leaf, options: ["-days", "10"])
        #expect(try leaf.leads(to: root, over: [], at: Self.now))
        for seconds in [-86_400, 11 * 86_400] as [Int64] {
            let time = UTCTime(secondsSinceEpoch: Self.now.secondsSinceEpoch + seconds)
            #expect(!(try leaf.leads(to: root, over: [], at: time)))
        }
    }

    @Test func `weak signatures on certificates lead nowhere`() throws {
        let root = try make("root", extensions: Self.authority)
        try make("leaf", issuer: "root", extensions: Self.leaf, options: ["-sha1"])
        #expect(!(try certificate("leaf").leads(to: root, over: [], at: Self.now)))
        try make("leaf", issuer: "root", extensions: Self.leaf, options: ["-sha256"])
        #expect(try certificate("leaf").leads(to: root, over: [], at: Self.now))
    }

    @Test func `a chain has eight certificates between at most`() throws {
        let root = try make("c0", extensions: Self.authority)
        var between: [FunctionaryCertificate] = []
        for number in 1...10 {
            let next = try make(
                "c\(number)", issuer: "c\(number - 1)", extensions: number == 10 ? Self.leaf : Self.authority)
            let leads = try next.leads(to: root, over: between, at: Self.now)
            #expect(leads == (between.count <= 8), "\(between.count)")
            between.append(next)
        }
    }

    // MARK: Reading

    @Test func `what a certificate says of its subject is read whole`() throws {
        let names =
            "subjectAltName=DNS:a.example,DNS:b.example,email:x@example.org,URI:https://example.org/x,IP:127.0.0.1"
        let read = try make(
            "leaf", extensions: Self.leaf + [names], subject: "/CN=one/CN=two/O=Example/O=Other"
        ).subject
        #expect(read.commonNames == ["one", "two"] && read.organizations == ["Example", "Other"])
        #expect(read.dnsNames == ["a.example", "b.example"] && read.emails == ["x@example.org"])
        #expect(read.uris == ["https://example.org/x"])
        #expect(try make("bare", extensions: Self.leaf).subject.dnsNames.isEmpty)
    }

    @Test func `alternative names that are none are refused, and those that stand there twice`() throws {
        #expect(throws: KeyError.self) { try make("leaf", extensions: Self.leaf + ["subjectAltName=DER:0500"]) }
    }

    @Test func `what is no certificate, has a weak key, or is too large is refused`() throws {
        #expect(throws: KeyError.self) { try make("weak", key: ["-newkey", "rsa:1024"]) }
        let pem = try make("leaf", extensions: Self.leaf).publicKey.pem
        #expect(throws: KeyError.self) { try FunctionaryCertificate(pem: pem) }
        #expect(throws: KeyError.self) { try FunctionaryCertificate(pem: "") }
        let begin = "-----BEGIN CERTIFICATE-----\n"
        #expect(throws: KeyError.self) {
            try FunctionaryCertificate(pem: Text(begin + "MAA=\n-----END CERTIFICATE-----\n"))
        }
        let bytes = try Data(contentsOf: directory.appending(path: "leaf.pem"))
        let text = String(decoding: bytes, as: UTF8.self)
        _ = try FunctionaryCertificate(pem: Text(text))
        let padding = String(repeating: "\n", count: 1 << 20)
        #expect(throws: KeyError.self) { try FunctionaryCertificate(pem: Text(text + padding)) }
    }
}
