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
                isGood = false
                context.print("\(place)not good: \(error)")
            }
        }
        return isGood ? ExitStatus.success : ExitStatus.no
    }
}
