import InTotoCrypto
import Testing

@Suite struct SecretBytesTests {
    @Test func `holds what it was filled with and says nothing about it`() {
        let secret = SecretBytes(copying: Array("hunter2".utf8))
        #expect(secret.count == 7)
        #expect(secret.withUnsafeBytes { Array($0) } == Array("hunter2".utf8))
        #expect("\(secret)" == "(secret)")
        #expect(String(reflecting: secret) == "(secret)")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("memory"))
    }

    @Test func `is as long as what was written, and may be empty`() {
        let secret = SecretBytes(capacity: 9000) { memory in
            memory[0] = 42
            return 1
        }
        #expect(secret.withUnsafeBytes { Array($0) } == [42])
        #expect(SecretBytes(copying: [UInt8]()).withUnsafeBytes { $0.isEmpty })
    }

    @Test func `passes on the error of whoever fills it`() {
        struct Failure: Error {}
        #expect(throws: Failure.self) {
            try SecretBytes(count: 5) { _ throws(Failure) in throw Failure() }
        }
    }
}
