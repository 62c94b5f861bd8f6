#if os(Linux)
    import Foundation
    import InTotoCrypto
    import TestSupport
    import Testing

    /// Looks through a process's own memory for a key that it has used and let go.
    @Suite(.temporaryDirectory) struct SecretResidueTests {
        /// A passphrase that nothing else in the process resembles, each byte inverted so that it is not in memory itself.
        static let passphrase: [UInt8] = (0..<24).map { ~(UInt8(ascii: "A") &+ $0 &* 7 % 50) }

        @Test("neither seed nor passphrase is in memory after signing", arguments: [false, true])
        func used(isEncrypted: Bool) async throws {
            let file = try Self.write(isEncrypted: isEncrypted)
            await #expect(processExitsWith: .success) {
                [
                    path = file.path as String, inverted = try Self.invertedSeed() as [UInt8],
                    isEncrypted = isEncrypted as Bool
                ] in
                try useKey(path, isEncrypted ? Self.passphrase : nil)
                exit(Residue.isInMemory(inverted) || Residue.isInMemory(Self.passphrase) ? 1 : 0)
            }
        }

        @Test(
            "nor of the other forms of key files",
            arguments: [
                "ed25519-alice.openssh", "enc-ed25519-alice.sigstore.pem", "legacy-ed25519-alice.json",
                "legacy-ed25519-alice.encrypted", "enc-ed25519-alice.pbes2-aes256cbc-hmacsha256.pem",
            ])
        func otherForms(name: String) async throws {
            await #expect(processExitsWith: .success) {
                [
                    path = Vectors.url("keys/\(name)").path as String, inverted = try Self.invertedSeed() as [UInt8],
                    phrase = Array(TestKeys.passphrase.utf8).map { ~$0 } as [UInt8]
                ] in
                try useKey(path, path.contains("enc") ? phrase : nil)
                exit(Residue.isInMemory(inverted) ? 1 : 0)
            }
        }

        @Test func `the search finds a key that is still held`() async throws {
            let file = try Self.write(isEncrypted: false)
            await #expect(processExitsWith: .exitCode(1)) {
                [path = file.path as String, inverted = try Self.invertedSeed() as [UInt8]] in
                let key = try PrivateKey(file: secretFile(path), passphrase: nil)
                let isFound = Residue.isInMemory(inverted)
                withExtendedLifetime(key) {}
                exit(isFound ? 1 : 0)
            }
        }

        /// The key file, as the program finds it.
        static func write(isEncrypted: Bool) throws -> URL {
            let file = TemporaryDirectory.current.appending(path: "key")
            let secret = SecretBytes(copying: passphrase.map { ~$0 })
            let pem = try TestKeys.privateKey("ed25519-alice").pem(passphrase: isEncrypted ? secret : nil)
            try pem.withUnsafeBytes { try Data($0).write(to: file) }
            return file
        }

        /// The 32 secret bytes of the key, each inverted.
        static func invertedSeed() throws -> [UInt8] {
            let text = String(decoding: try Vectors.bytes("keys/ed25519-alice.pkcs8.pem"), as: UTF8.self)
            let body = text.split(separator: "\n").dropFirst().dropLast().joined()
            return try #require(Data(base64Encoded: body)).suffix(32).map { ~$0 }
        }
    }

    /// Reads the file as the program does: straight into secret memory.
    private func secretFile(_ path: String) -> SecretBytes {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        return SecretBytes(capacity: 4096) { max(0, read(descriptor, $0.baseAddress, $0.count)) }
    }

    private func useKey(_ path: String, _ inverted: [UInt8]?) throws {
        let passphrase = inverted.map { inverted in
            SecretBytes(count: inverted.count) { memory in
                for index in inverted.indices { memory[index] = ~inverted[index] }
            }
        }
        let key = try PrivateKey(file: secretFile(path), passphrase: passphrase)
        guard try key.publicKey.isValid(signature: try key.sign([1, 2, 3]), over: [1, 2, 3]) else { exit(2) }
    }

    private enum Residue {
        /// Whether the bytes whose inverse is given stand anywhere in writable memory.
        static func isInMemory(_ inverted: [UInt8]) -> Bool {
            let maps = readMaps()
            let memory = open("/proc/self/mem", O_RDONLY)
            guard !maps.isEmpty, memory >= 0 else { exit(3) }
            defer { close(memory) }
            return maps.split(separator: "\n").contains { line in
                let fields = line.split(separator: " ")
                let ends = fields[0].split(separator: "-").compactMap { UInt(bitPattern: Int($0, radix: 16) ?? 0) }
                guard fields[1].hasPrefix("rw"), ends.count == 2, ends[1] - ends[0] < 1 << 28 else { return false }
                return search(memory, ends[0], Int(ends[1] - ends[0]), inverted)
            }
        }

        /// Into memory that is there already: what is mapped while the kernel lists it may hide a line.
        private static func readMaps() -> String {
            let file = open("/proc/self/maps", O_RDONLY)
            defer { close(file) }
            var text = [UInt8](repeating: 0, count: 1 << 20)
            var count = 0
            text.withUnsafeMutableBytes { buffer in
                while count < buffer.count {
                    let length = read(
                        file, UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).baseAddress,
                        buffer.count - count)
                    guard length > 0 else { break }
                    count += length
                }
            }
            return String(decoding: text[..<count], as: UTF8.self)
        }

        private static func search(_ memory: Int32, _ start: UInt, _ count: Int, _ inverted: [UInt8]) -> Bool {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
            defer { buffer.deallocate() }
            let length = pread(memory, buffer.baseAddress, count, off_t(start))
            guard length >= inverted.count, let bytes = buffer.baseAddress else { return false }
            for offset in 0...(length - inverted.count) {
                // The copy must not be found instead of what it is a copy of.
                guard bytes.load(fromByteOffset: offset, as: UInt8.self) == ~inverted[0] else { continue }
                let isMatch = inverted.indices.allSatisfy {
                    bytes.load(fromByteOffset: offset + $0, as: UInt8.self) == ~inverted[$0]
                }
                if isMatch { return true }
            }
            return false
        }
    }
#endif
