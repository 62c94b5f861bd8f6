import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Project Wycheproof's vectors, through `PublicKey` with the keys as files have them.
@Suite struct WycheproofTests {
    struct File: Decodable {
        var testGroups: [Group]
    }

    struct Group: Decodable {
        var publicKeyPem: String
        /// PKCS#1 DER, in hexadecimal digits.
        var publicKeyAsn: String?
        var sha: String?
        var mgfSha: String?
        var sLen: Int?
        var tests: [Case]
    }

    struct Case: Decodable {
        var tcId: Int
        var msg: String
        var sig: String
        var result: String
    }

    /// How a file's signatures relate to the one scheme that its keys have here.
    enum Kind: Sendable {
        /// The file's parameters are the scheme's: its verdicts are ours.
        case scheme
        /// Other parameters or another encoding: nothing may verify but the vectors, invalid for the file, that are in
        /// our scheme: "salt length changed to 32" and "RSASSA-PSS signature".
        case foreign(ours: Set<Int> = [])
        /// The parameters differ from group to group.
        case mixed
    }

    static let files: [(String, Kind)] = [
        ("ecdsa_secp256r1_sha256_test", .scheme), ("ecdsa_secp384r1_sha384_test", .scheme),
        ("ecdsa_secp521r1_sha512_test", .scheme), ("ed25519_test", .scheme),
        ("rsa_pss_2048_sha256_mgf1_32_test", .scheme), ("rsa_pss_3072_sha256_mgf1_32_test", .scheme),
        ("rsa_pss_4096_sha256_mgf1_32_test", .scheme), ("rsa_pss_misc_test", .mixed),
        ("ecdsa_secp256r1_sha256_p1363_test", .foreign()), ("ecdsa_secp384r1_sha384_p1363_test", .foreign()),
        ("ecdsa_secp384r1_sha256_test", .foreign()), ("ed448_test", .foreign()),
        ("rsa_pss_2048_sha1_mgf1_20_test", .foreign()), ("rsa_pss_2048_sha256_mgf1_0_test", .foreign(ours: [69])),
        ("rsa_pss_2048_sha256_mgf1_32_params_test", .foreign()), ("rsa_pss_2048_sha256_mgf1sha1_20_test", .foreign()),
        ("rsa_pss_2048_sha384_mgf1_48_test", .foreign()), ("rsa_pss_3072_sha256_mgf1_32_params_test", .foreign()),
        ("rsa_pss_4096_sha384_mgf1_48_test", .foreign()), ("rsa_pss_4096_sha512_mgf1_64_test", .foreign()),
        ("rsa_signature_2048_sha256_test", .foreign(ours: [257])),
        ("rsa_signature_3072_sha256_test", .foreign(ours: [258])),
        ("rsa_signature_4096_sha256_test", .foreign(ours: [258])),
    ]

    /// What came out: signatures accepted and rejected by a key, and those whose key was refused.
    struct Tally {
        var accepted = 0
        var rejected = 0
        var keyRefused = 0
        var deviations: [String] = []
    }

    static func run(
        _ name: String, _ kind: Kind,
        key: (Group) throws -> PublicKey = { try PublicKey(pem: Array($0.publicKeyPem.utf8)) }
    ) throws -> Tally {
        let json = try Data(contentsOf: Vectors.url("third-party/wycheproof/\(name).json"))
        var tally = Tally()
        for group in try JSONDecoder().decode(File.self, from: json).testGroups {
            let key = try? key(group)
            for vector in group.tests {
                let isExpected = expects(vector, group, kind)
                guard let key else {
                    tally.keyRefused += 1
                    continue
                }
                let isValid = try key.isValid(signature: try hex(vector.sig), over: try hex(vector.msg))
                if isValid { tally.accepted += 1 } else { tally.rejected += 1 }
                if isValid != isExpected { tally.deviations.append("\(name) \(vector.tcId): \(vector.result)") }
            }
        }
        return tally
    }

    static func expects(_ vector: Case, _ group: Group, _ kind: Kind) -> Bool {
        let isValid = vector.result == "valid"
        switch kind {
        case .scheme: return isValid
        case .foreign(let ours): return ours.contains(vector.tcId)
        case .mixed: return isValid && group.sha == "SHA-256" && group.mgfSha == "SHA-256" && group.sLen == 32
        }
    }

    static func hex(_ text: String) throws -> [UInt8] { try #require(Hex.decode(Text(text))) }

    @Test func `every vector of every file gives the verdict that our schemes demand`() throws {
        #expect(try Vectors.list("third-party/wycheproof").count == Self.files.count + 1)
        var total = Tally()
        for (name, kind) in Self.files {
            let tally = try Self.run(name, kind)
            #expect(tally.deviations.isEmpty)
            #expect(tally.accepted > 0 || Self.acceptsNothing(kind), "only rejecting proves nothing")
            print(
                "vectors: wycheproof \(name): \(tally.accepted) accepted, \(tally.rejected) rejected,",
                "\(tally.keyRefused) by keys refused at load, \(tally.deviations.count) deviations")
            total.accepted += tally.accepted
            total.rejected += tally.rejected
            total.keyRefused += tally.keyRefused
            total.deviations += tally.deviations
        }
        let count = total.accepted + total.rejected + total.keyRefused
        print(
            "vectors: wycheproof total \(count): \(total.accepted) accepted, \(total.rejected) rejected,",
            "\(total.keyRefused) by keys refused at load, \(total.deviations.count) deviations")
    }

    static func acceptsNothing(_ kind: Kind) -> Bool {
        switch kind {
        case .scheme, .mixed: false
        case .foreign(let ours): ours.isEmpty
        }
    }

    /// The `params` files hold keys that are restricted to PSS; in PKCS#1 form they are plain ones.
    @Test(
        "gives the same verdicts with keys in PKCS#1 form",
        arguments: [
            "rsa_pss_2048_sha256_mgf1_32_test", "rsa_pss_3072_sha256_mgf1_32_test", "rsa_pss_4096_sha256_mgf1_32_test",
            "rsa_pss_2048_sha256_mgf1_32_params_test", "rsa_pss_3072_sha256_mgf1_32_params_test",
        ])
    func pkcs1(name: String) throws {
        let tally = try Self.run(name, .scheme) { group in
            let der = Data(try Self.hex(try #require(group.publicKeyAsn))).base64EncodedString()
            return try PublicKey(
                pem: Array("-----BEGIN RSA PUBLIC KEY-----\n\(der)\n-----END RSA PUBLIC KEY-----".utf8))
        }
        #expect(tally.deviations.isEmpty)
        #expect(tally.accepted > 0 && tally.keyRefused == 0)
        print("vectors: wycheproof \(name) with PKCS#1 key: \(tally.accepted) accepted, \(tally.rejected) rejected")
    }
}

/// Filippo Valsorda's edge cases of Ed25519 (C2SP CCTV).
@Suite struct Ed25519EdgeCaseTests {
    struct Vector: Decodable {
        var number: Int
        var key: String
        var sig: String
        var msg: String
        var flags: [String]?
    }

    /// What RFC 8032 leaves open is frozen here. Of 914 signatures over odd points, OpenSSL accepts 208; the keys
    /// of low order and in non-canonical form, with which a signature may fit any message, are refused when they are
    /// loaded, and 86 remain. Those have a sound key, or one with a small component, which no list can name.
    @Test func `accepts no signature under a key of low order, and always the same set`() throws {
        let json = try Data(contentsOf: Vectors.url("third-party/ed25519-cctv/ed25519vectors.json"))
        let vectors = try JSONDecoder().decode([Vector].self, from: json)
        var accepted = 0
        var keysRefused: Set<String> = []
        var refused = 0
        for vector in vectors {
            let flags = Set(vector.flags ?? [])
            let weak = !flags.isDisjoint(with: ["low_order_A", "non_canonical_A"])
            let key = try? PublicKey(keyType: "ed25519", scheme: "ed25519", publicValue: Text(vector.key))
            #expect((key == nil) == weak, "vector \(vector.number)")
            let spki = try WycheproofTests.hex("302a300506032b6570032100" + vector.key)
            #expect(try keyError { _ = try PublicKey(spki: spki) } == (weak ? .badPoint : nil))
            guard let key else {
                keysRefused.insert(vector.key)
                refused += 1
                continue
            }
            let message = Array(vector.msg.utf8)
            guard try key.isValid(signature: try WycheproofTests.hex(vector.sig), over: message) else { continue }
            accepted += 1
            #expect(flags.isDisjoint(with: ["non_canonical_R", "low_order_residue"]))
        }
        #expect(keysRefused.count == 14)
        #expect(accepted == 86)
        print(
            "vectors: cctv ed25519 \(vectors.count): \(accepted) accepted, \(refused) under \(keysRefused.count) keys",
            "refused at load, \(vectors.count - accepted - refused) rejected")
    }
}
