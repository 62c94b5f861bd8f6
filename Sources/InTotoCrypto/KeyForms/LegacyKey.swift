private import COpenSSL
internal import InTotoMetadata

/// Private keys as securesystemslib wrote them before version 1.0: JSON, or one line around encrypted JSON.
///
/// Go's own JSON differs in that an Ed25519 key has seed and public part together.
enum LegacyKey {
    private static let separator = Array("@@@@".utf8)

    static func isLegacy(_ file: UnsafeRawBufferPointer) -> Bool { isJSON(file) || isEncrypted(file) }

    private static func isJSON(_ file: UnsafeRawBufferPointer) -> Bool {
        file.first { !$0.isBlank } == UInt8(ascii: "{")
    }

    private static func isEncrypted(_ file: UnsafeRawBufferPointer) -> Bool {
        let start = file.prefix(4 * DerivationCost.saltLimit)
        return start.first.flatMap(Hex.value) != nil && start.contains(separator)
    }

    static func read(
        _ file: UnsafeRawBufferPointer, _ passphrase: SecretBytes?
    ) throws(KeyError) -> PrivateKeyReader.Reading {
        guard isEncrypted(file) else { return try readJSON(file, wasEncrypted: false) }
        let plaintext = try decrypt(file, try PrivateKeyReader.required(passphrase))
        return try plaintext.withUnsafeBytes { text throws(KeyError) in try readJSON(text, wasEncrypted: true) }
    }

    // MARK: Encryption

    /// `salt@@@@iterations@@@@hmac@@@@iv@@@@ciphertext`, all but the count in hexadecimal.
    private static func decrypt(
        _ file: UnsafeRawBufferPointer, _ passphrase: SecretBytes
    ) throws(KeyError) -> SecretBytes {
        let parts = Array(file.drop { $0.isBlank }).trimmed.split(on: separator)
        guard parts.count == 5, let salt = hex(parts[0]),
            let iterations = Int(String(decoding: parts[1], as: UTF8.self)),
            let tag = hex(parts[2]), let vector = hex(parts[3]), let ciphertext = hex(parts[4]), vector.count == 16
        else { throw .damaged }
        try DerivationCost.check(iterations: iterations, saltSize: salt.count)
        var status: Int32 = 0
        let key = SecretBytes(count: 32) { key in
            status = passphrase.withUnsafeBytes { passphrase in
                PKCS5_PBKDF2_HMAC(
                    passphrase.bindMemory(to: CChar.self).baseAddress, Int32(passphrase.count), salt,
                    Int32(salt.count), Int32(iterations), EVP_sha256(), 32,
                    key.bindMemory(to: UInt8.self).baseAddress)
            }
        }
        guard status == 1 else { throw .crypto(.fromErrorQueue("derive a key with PBKDF2")) }
        // Authenticated before it is decrypted.
        guard isAuthentic(ciphertext, tag, key) else { throw .wrongPassphrase }
        do { return try StreamCipher.aes256CTR(ciphertext, key: key, vector: vector) } catch { throw .crypto(error) }
    }

    private static func hex(_ digits: ArraySlice<UInt8>) -> [UInt8]? { Hex.decode(Text(trusted: Array(digits))) }

    private static func isAuthentic(_ ciphertext: [UInt8], _ tag: [UInt8], _ key: SecretBytes) -> Bool {
        var computed = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let result = key.withUnsafeBytes { key in
            HMAC(EVP_sha256(), key.baseAddress, Int32(key.count), ciphertext, ciphertext.count, &computed, &length)
        }
        guard result != nil, length == 32, tag.count == 32 else { return false }
        return CRYPTO_memcmp(computed, tag, 32) == 0
    }

    // MARK: JSON

    /// The private value is taken out before the rest is parsed, so that it never becomes a text of ours.
    private static func readJSON(
        _ text: UnsafeRawBufferPointer, wasEncrypted: Bool
    ) throws(KeyError) -> PrivateKeyReader.Reading {
        guard let range = SecretMember.range(of: "private", in: text), !range.isEmpty else { throw .publicKeyGiven }
        let secret = SecretMember.unescaped(UnsafeRawBufferPointer(rebasing: text[range]))
        let rest = Array(text[..<range.lowerBound]) + Array(text[range.upperBound...])
        let fields = try JSONFields(rest)
        let values = try fields.fields("keyval")
        let publicPart = try PublicKeyReader.readKeyObject(
            keyType: try fields.text("keytype"), scheme: try fields.text("scheme"),
            publicValue: try values.text("public"))
        let handle = try secret.withUnsafeBytes { secret throws(KeyError) in
            try readValue(secret, publicPart.scheme)
        }
        guard try handle.hasPublicPart(of: publicPart.handle) else { throw .halvesDiffer }
        return .init(scheme: publicPart.scheme, handle: handle, wasEncrypted: wasEncrypted)
    }

    private static func readValue(
        _ value: UnsafeRawBufferPointer, _ scheme: KeyScheme
    ) throws(KeyError) -> KeyHandle {
        guard scheme == .ed25519 else {
            return try PrivateKeyReader.readPEM(value, nil).handle
        }
        guard value.count == 64 || value.count == 128, value.allSatisfy({ Hex.value(of: $0) != nil }) else {
            throw .damaged
        }
        let seed = SecretBytes(count: 32) { seed in
            for index in 0..<32 {
                let (high, low) = (Hex.value(of: value[2 * index]) ?? 0, Hex.value(of: value[2 * index + 1]) ?? 0)
                seed[index] = high << 4 | low
            }
        }
        return try seed.withUnsafeBytes { seed throws(KeyError) in try KeyAssembly.ed25519(seed: seed) }
    }
}

/// Finds a member of JSON whose value must not be copied about.
enum SecretMember {
    /// Where the text of the first string member of this name stands, without its quotation marks.
    ///
    /// Only strings are looked at; whether the document is JSON otherwise is the reader's business.
    static func range(of name: String, in text: UnsafeRawBufferPointer) -> Range<Int>? {
        var index = 0
        var isNamed = false
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""):
                guard let end = endOfString(from: index + 1, in: text) else { return nil }
                let content = index + 1..<end
                if isNamed { return content }
                index = end + 1
                isNamed = text[content].elementsEqual(name.utf8) && isFollowedByColon(index, text)
            case UInt8(ascii: ":"): index += 1
            case let byte:
                if !byte.isBlank { isNamed = false }
                index += 1
            }
        }
        return nil
    }

    private static func isFollowedByColon(_ index: Int, _ text: UnsafeRawBufferPointer) -> Bool {
        text[index...].first { !$0.isBlank } == UInt8(ascii: ":")
    }

    private static func endOfString(from start: Int, in text: UnsafeRawBufferPointer) -> Int? {
        var index = start
        while index < text.count {
            if text[index] == UInt8(ascii: "\"") { return index }
            index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    /// The string with line feeds and slashes in place of their escapes, the only ones that PEM needs.
    static func unescaped(_ string: UnsafeRawBufferPointer) -> SecretBytes {
        SecretBytes(capacity: string.count) { memory in
            var count = 0
            var isEscape = false
            for byte in string {
                if !isEscape, byte == UInt8(ascii: "\\") {
                    isEscape = true
                    continue
                }
                memory[count] = isEscape && byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte
                isEscape = false
                count += 1
            }
            return count
        }
    }
}

extension [UInt8] {
    fileprivate var trimmed: [UInt8] {
        var bytes = self
        while bytes.last?.isBlank == true { bytes.removeLast() }
        return bytes
    }

    fileprivate func split(on separator: [UInt8]) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
