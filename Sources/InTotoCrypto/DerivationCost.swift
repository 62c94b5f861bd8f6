/// What deriving a key from a passphrase may cost; the file says how much it wants, and the file may be hostile.
enum DerivationCost {
    private static let iterationLimit = 10_000_000
    static let saltLimit = 1024
    /// OpenSSL refuses to give scrypt more, in bytes.
    private static let scryptMemoryLimit = 32 << 20
    private static let scryptParallelismLimit = 16

    /// Reads the parameters of a password-based encryption scheme. Spec: RFC 8018, A.4, and RFC 7914, 7.
    static func check(_ algorithm: DERReader) throws(KeyError) {
        var fields = algorithm
        guard let scheme = fields.objectIdentifier(), var parameters = fields.read(.sequence), fields.isAtEnd else {
            throw .damaged
        }
        switch scheme {
        case .pbes2:
            guard let derivation = parameters.read(.sequence) else { throw .damaged }
            try checkDerivation(derivation)
        case .pbeSHA1And3DES: try checkIterations(&parameters)
        default: throw .unsupportedEncryption(scheme.name)
        }
    }

    private static func checkDerivation(_ derivation: DERReader) throws(KeyError) {
        var fields = derivation
        guard let function = fields.objectIdentifier(), var parameters = fields.read(.sequence), fields.isAtEnd else {
            throw .damaged
        }
        switch function {
        case .pbkdf2: try checkIterations(&parameters)
        case .scrypt: try checkScrypt(&parameters)
        default: throw .unsupportedEncryption(function.name)
        }
    }

    static func check(iterations: Int, saltSize: Int) throws(KeyError) {
        guard saltSize <= saltLimit else { throw .derivationTooCostly("a salt of \(saltSize) bytes") }
        guard (1...iterationLimit).contains(iterations) else {
            throw .derivationTooCostly("\(iterations) iterations, of which at most \(iterationLimit) are done")
        }
    }

    private static func checkIterations(_ parameters: inout DERReader) throws(KeyError) {
        guard let salt = parameters.read(.octetString)?.bytes, let iterations = parameters.smallInteger() else {
            throw .damaged
        }
        try check(iterations: iterations, saltSize: salt.count)
    }

    private static func checkScrypt(_ parameters: inout DERReader) throws(KeyError) {
        try checkSalt(&parameters)
        guard let cost = parameters.smallInteger(), let blockSize = parameters.smallInteger(),
            let parallelism = parameters.smallInteger()
        else { throw .damaged }
        // Each factor is bounded before they are multiplied.
        let limit = scryptMemoryLimit
        let isBounded = cost <= limit && blockSize <= limit && parallelism <= scryptParallelismLimit
        guard isBounded, 128 * blockSize * (cost + parallelism + 2) <= limit else {
            throw .derivationTooCostly("scrypt with N \(cost), r \(blockSize), p \(parallelism) needs more than 32 MiB")
        }
    }

    private static func checkSalt(_ parameters: inout DERReader) throws(KeyError) {
        guard let salt = parameters.read(.octetString)?.bytes else { throw .damaged }
        guard salt.count <= saltLimit else { throw .derivationTooCostly("a salt of \(salt.count) bytes") }
    }
}
