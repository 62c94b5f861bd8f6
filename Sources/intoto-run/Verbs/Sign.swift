import ArgumentParser
import InTotoCrypto
import InTotoMetadata

/// Checks the signatures of evidence.
struct Sign: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Check the signatures of evidence.",
        discussion: """
            Example: intoto-run sign --check build.1234abcd.link --verification-keys ci.pem.pub

            Exit status: 0 where every given key has signed, 1 where not, 2 where it could not be told.
            """)

    @Flag(help: "Check signatures.")
    var check = false

    @OptionGroup var trust: TrustOptions

    @Argument(help: "A link, a layout, an envelope or a bundle.")
    var file: String

    func validate() throws {
        guard check else { throw ValidationError("only 'sign --check' is supported yet") }
        guard !trust.keys.isEmpty else { throw ValidationError("no --verification-keys to check with") }
    }

    func run(in context: CommandContext) throws -> Int32 {
        let keys = try trust.publicKeys()
        let evidence = try EvidenceFile(reading: file)
        var isGood = true
        for (index, metadata) in evidence.metadata.enumerated() {
            let place = evidence.metadata.count == 1 ? "" : "envelope \(index + 1): "
            do {
                _ = try metadata.authenticated(by: keys, threshold: keys.count)
                context.print(
                    "\(place)good: signed by \(keys.map { $0.keyID(.python).description }.joined(separator: ", "))")
            } catch {
                guard error.isRefusal else { throw Failure("\(evidence.name(ofPiece: index)): \(error)") }
                isGood = false
                context.print("\(place)not good: \(error)\(Self.silentKeys(error, keys))")
            }
        }
        return isGood ? ExitStatus.success : ExitStatus.no
    }

    /// The keys that no signature is by, nor claims to be by: the other lines do not name them.
    private static func silentKeys(_ error: AuthenticationError, _ keys: [PublicKey]) -> String {
        guard case .notEnoughSignatures(_, let checks) = error else { return "" }
        let named = checks.compactMap { check in
            switch check.outcome {
            case .valid(let key), .bad(let key): key
            case .unknownKey: nil
            }
        }
        return keys.filter { !named.contains($0) }.map { "\n  no signature by '\($0.keyID(.python))'" }.joined()
    }
}
