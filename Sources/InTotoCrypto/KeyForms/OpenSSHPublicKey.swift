public import InTotoMetadata

/// Public keys as OpenSSH writes them: `ssh-ed25519 AAAA… comment`. Spec: RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4.
enum OpenSSHPublicKey {
    /// Whether the first line that says anything begins like one.
    static func isLine(_ file: UnsafeRawBufferPointer) -> Bool {
        guard let line = firstLine(of: file) else { return false }
        return ["ssh-", "ecdsa-sha2-", "sk-"].contains { line.starts(with: $0.utf8) }
    }

    /// How many lines are keys, rather than text that begins like one.
    static func lineCount(in file: UnsafeRawBufferPointer) -> Int {
        lines(of: file).count { line in
            let words = line.split(whereSeparator: \.isBlank)
            // Options may stand before it, as in a list of authorized keys.
            return zip(words, words.dropFirst()).contains { type, text in
                // Its type stands in it again, behind the four bytes of its length.
                Base64.decode(Text(repairing: text))?.dropFirst(4).starts(with: type) ?? false
            }
        }
    }

    /// Reads the first line that is neither empty nor a comment.
    static func readLine(_ file: UnsafeRawBufferPointer) throws(KeyError) -> PublicKeyReader.Reading {
        guard let line = firstLine(of: file) else { throw .notAKey }
        let words = line.split(whereSeparator: \.isBlank)
        let name = String(decoding: words[0].prefix(64), as: UTF8.self)
        if name.hasSuffix("-cert-v01@openssh.com") { throw .unsupportedAlgorithm("OpenSSH certificate") }
        guard words.count >= 2, let blob = Base64.decode(Text(repairing: words[1])) else { throw .damaged }
        return try blob.withUnsafeBytesThrowing { blob throws(KeyError) in
            var fields = WireReader(blob)
            guard try fields.name() == name else { throw .damaged }
            return try read(blob)
        }
    }

    /// Reads what stands base64-encoded in the line.
    static func read(_ blob: UnsafeRawBufferPointer) throws(KeyError) -> PublicKeyReader.Reading {
        try PublicKeyReader.readSPKI(try spki(blob))
    }

    private static func spki(_ blob: UnsafeRawBufferPointer) throws(KeyError) -> [UInt8] {
        var fields = WireReader(blob)
        let type = try OpenSSHKeyType(try fields.name())
        switch type.scheme {
        case .ed25519: return spki(type.scheme, try last(try fields.string(), fields))
        case .ecdsaP256, .ecdsaP384, .ecdsaP521:
            guard try fields.name() == type.curve else { throw .damaged }
            return spki(type.scheme, try last(try fields.string(), fields))
        case .rsaPSS:
            let exponent = try fields.positiveInteger()
            let modulus = try last(try fields.positiveInteger(), fields)
            return spki(
                type.scheme, DERWriter.sequence(DERWriter.integer(modulus), DERWriter.integer(exponent))[...])
        }
    }

    private static func last(
        _ field: UnsafeRawBufferPointer, _ fields: WireReader
    ) throws(KeyError) -> ArraySlice<UInt8> {
        guard fields.isAtEnd else { throw .damaged }
        return Array(field)[...]
    }

    private static func spki(_ scheme: KeyScheme, _ key: ArraySlice<UInt8>) -> [UInt8] {
        DERWriter.sequence(scheme.algorithmIdentifier, DERWriter.bitString(key))
    }

    private static func firstLine(of file: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
        lines(of: file).first { !$0.isEmpty && $0.first != UInt8(ascii: "#") }
    }

    private static func lines(of file: UnsafeRawBufferPointer) -> [Slice<UnsafeRawBufferPointer>] {
        file.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") })
            .map { $0.drop { $0.isBlank } }
    }
}

/// A kind of key as OpenSSH names it.
struct OpenSSHKeyType {
    let scheme: KeyScheme
    let name: String

    init(_ name: String) throws(KeyError) {
        guard let scheme = KeyScheme.allCases.first(where: { Self.name($0) == name }) else {
            throw name.hasPrefix("sk-") ? .hardwareKey(name) : .unsupportedAlgorithm(name)
        }
        self.scheme = scheme
        self.name = name
    }

    init(_ scheme: KeyScheme) {
        self.scheme = scheme
        name = Self.name(scheme)
    }

    /// What follows the type of an ECDSA key.
    var curve: String { String(name.dropFirst("ecdsa-sha2-".count)) }

    private static func name(_ scheme: KeyScheme) -> String {
        switch scheme {
        case .ed25519: "ssh-ed25519"
        case .ecdsaP256, .ecdsaP384, .ecdsaP521: scheme.rawValue
        case .rsaPSS: "ssh-rsa"
        }
    }
}

extension KeyScheme {
    /// AlgorithmIdentifier of a SubjectPublicKeyInfo. Spec: RFC 8410, 3; RFC 5480, 2.1.1; RFC 3279, 2.3.1.
    var algorithmIdentifier: [UInt8] {
        func identifier(_ object: ObjectIdentifier) -> [UInt8] { DERWriter.element(.objectIdentifier, object.content) }
        return switch self {
        case .ed25519: DERWriter.sequence(identifier(.ed25519))
        case .ecdsaP256: DERWriter.sequence(identifier(.ecPublicKey), identifier(.p256))
        case .ecdsaP384: DERWriter.sequence(identifier(.ecPublicKey), identifier(.p384))
        case .ecdsaP521: DERWriter.sequence(identifier(.ecPublicKey), identifier(.p521))
        case .rsaPSS: DERWriter.sequence(identifier(.rsaEncryption), DERWriter.element(.null, []))
        }
    }
}

extension PublicKey {
    /// The key as a line for OpenSSH's files, without a comment.
    public var openSSHLine: Text {
        let type = OpenSSHKeyType(scheme)
        let fields = spki.withUnsafeBytes { bytes in self.fields(of: bytes, type) }
        let blob = ([Array(type.name.utf8)] + fields).flatMap { WireWriter.string($0) }
        return Text(trusted: Array("\(type.name) ".utf8) + Base64.encode(blob).utf8)
    }

    private func fields(of spki: UnsafeRawBufferPointer, _ type: OpenSSHKeyType) -> [[UInt8]] {
        guard var info = DERReader.only(.sequence, in: spki), info.read(.sequence) != nil,
            let key = info.read(.bitString)?.bytes.dropFirst()
        else { preconditionFailure("we wrote this encoding") }
        switch scheme {
        case .ed25519: return [Array(key)]
        case .ecdsaP256, .ecdsaP384, .ecdsaP521: return [Array(type.curve.utf8), Array(key)]
        case .rsaPSS:
            guard var numbers = DERReader.only(.sequence, in: UnsafeRawBufferPointer(rebasing: key)),
                let modulus = numbers.read(.integer)?.bytes, let exponent = numbers.read(.integer)?.bytes
            else { preconditionFailure("we wrote this encoding") }
            return [Array(exponent), Array(modulus)]
        }
    }
}
