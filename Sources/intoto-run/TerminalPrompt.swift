import CSupport
import InTotoCrypto

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Asks a person for a secret, without echo, on the terminal itself, whatever becomes of our output.
enum TerminalPrompt {
    /// Nil where nobody is there: a terminal that belongs to us but to which neither our input nor our messages are
    /// connected is somebody else's, who did not call us.
    static func ask(_ prompt: String) throws(Failure) -> SecretBytes? {
        guard isatty(0) == 1 || isatty(2) == 1 else { return nil }
        var result = 0
        let secret = SecretBytes(capacity: PrivateKey.passphraseLimit) { memory in
            result = cs_ask_secret("intoto-run: \(prompt)", memory.baseAddress, memory.count)
            return max(0, result)
        }
        switch result {
        case 0...: return secret
        case -Int(ENXIO): return nil
        case -Int(EMSGSIZE): throw Failure("what was typed is longer than \(memoryLimit) bytes")
        default: throw Failure("nothing was typed")
        }
    }

    private static var memoryLimit: Int { PrivateKey.passphraseLimit }
}
