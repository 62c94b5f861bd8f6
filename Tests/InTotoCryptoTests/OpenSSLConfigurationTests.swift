import Foundation
import InTotoCrypto
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct OpenSSLConfigurationTests {
    /// With this configuration OpenSSL finds no algorithm at all.
    static let configuration = """
        openssl_conf = start
        [start]
        alg_section = algorithms
        [algorithms]
        default_properties = provider=nobody
        """

    @Test func `the configuration that OPENSSL_CONF names is not loaded`() async throws {
        let file = TemporaryDirectory.current.appending(path: "hostile.cnf")
        try Data(Self.configuration.utf8).write(to: file)
        let path = file.path
        // The openssl program loads it, and is lost.
        let program = try Subprocess.run(
            "/usr/bin/openssl", ["dgst", "-sha256", path], environment: ["OPENSSL_CONF": path])
        #expect(program.status != 0)
        // A process of its own, in which nothing has used OpenSSL yet.
        await #expect(processExitsWith: .success) { [path = path as String] in
            setenv("OPENSSL_CONF", path, 1)
            let key = try PrivateKey.generate(.ed25519)
            let signature = try key.sign([1, 2, 3])
            guard try key.publicKey.isValid(signature: signature, over: [1, 2, 3]) else { exit(1) }
            _ = try PrivateKey.generate(.ecdsaP256)
        }
    }
}
