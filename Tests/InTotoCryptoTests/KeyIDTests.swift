import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

@Suite struct KeyIDTests {
    @Test("reproduces every key id that other tools give a key", arguments: TestKeys.names)
    func reproduces(name: String) throws {
        let vectors = try #require(try Vectors.json("keys/keyids.json") as? [String: [String: Any]])
        let vector = try #require(vectors[name])
        func keyID(_ tool: String) -> String? { (vector[tool] as? [String: Any])?["keyid"] as? String }
        let key = try TestKeys.publicKey(name)

        #expect(key.keyID(.python).description == keyID("python_3.1.0"))
        #expect(key.keyID(.go).description == keyID("in_toto_golang"))
        #expect(key.keyID(.go).description == keyID("go_securesystemslib_LoadKey"))
        #expect(key.keyID(.witness).description == keyID("witness"))
        let known = Set(key.knownKeyIDs.map(\.description))
        #expect(known.count == key.knownKeyIDs.count)
        let expected = ["python_3.1.0", "in_toto_golang", "witness", "securesystemslib_0.31_legacy"].compactMap(keyID)
        #expect(known.isSuperset(of: expected))
        #expect(known.contains(try #require(vector["sha256_of_spki_der"] as? String)))
        print("vectors: key ids of \(name): \(expected.count + 1) reproduced")
    }

    @Test("writes the key object that Python writes", arguments: TestKeys.names)
    func keyObject(name: String) throws {
        let vectors = try #require(try Vectors.json("keys/keyids.json") as? [String: [String: Any]])
        let python = try #require(vectors[name]?["python_3.1.0"] as? [String: Any])
        let object = try #require(python["layout_key_object"] as? [String: Any])
        let values = try #require(object["keyval"] as? [String: Any])
        let key = try TestKeys.publicKey(name)
        let expected: JSONObject = [
            "keyid": .string(Text(try #require(object["keyid"] as? String))),
            "keytype": .string(Text(try #require(object["keytype"] as? String))),
            "keyval": ["public": .string(Text(try #require(values["public"] as? String)))],
            "scheme": .string(Text(try #require(object["scheme"] as? String))),
        ]
        #expect(key.keyObject == expected)
        #expect(try PublicKey(keyObject: expected) == key)
    }
}
