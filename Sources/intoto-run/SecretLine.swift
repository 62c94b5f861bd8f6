import CSupport
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The first line of something, as a secret.
enum SecretLine {
    /// `descriptorOption` reads pipes, which are refused here; nil: there is none.
    static func read(file: String, descriptorOption: String?, in context: CommandContext) throws -> SecretBytes {
        do {
            let (secret, isReadableByOthers) = try KeyFile.withSecret(at: FilePath(file), limit: keySizeLimit) {
                bytes in
                SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes.prefix { !isEnd($0) }))
            }
            if isReadableByOthers {
                context.note("intoto-run: warning: \(Text(file).escaped): others may read this passphrase")
            }
            return secret
        } catch {
            var failure = Failure.reading(file, error)
            if case .notRegularFile? = error as? StorageError, let descriptorOption {
                failure.hint = "for what a command prints, give a descriptor: \(descriptorOption) 3 3< <(COMMAND)"
            }
            throw failure
        }
    }

    /// Reads byte by byte, so that what follows stays for whoever reads it next, and withholds the descriptor from the
    /// command.
    static func read(descriptor: Int32, in context: CommandContext) throws -> SecretBytes {
        guard descriptor == 0 || descriptor > 2 else {
            throw Failure("descriptor \(descriptor): is not for reading a passphrase from")
        }
        // Our own descriptors have numbers, too, which nobody means.
        guard descriptor == 0 || context.inheritedDescriptors().contains(descriptor) else {
            throw Failure("descriptor \(descriptor): is not open")
        }
        defer { if descriptor > 2 { context.withholdDescriptor(descriptor) } }
        var failure: Failure?
        let secret = SecretBytes(capacity: keySizeLimit) { memory in
            var count = 0
            while count < memory.count {
                let result = systemRead(descriptor, memory.baseAddress?.advanced(by: count), 1)
                if result < 0 && errno == EINTR { continue }
                if result < 0 { failure = Failure("descriptor \(descriptor): cannot read: \(systemErrorText(errno))") }
                guard result == 1, !isEnd(memory[count]) else { break }
                count += 1
            }
            return count
        }
        if let failure { throw failure }
        return secret
    }

    private static func isEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
}

/// The system's `read`, which a method of the same name hides.
private func systemRead(_ descriptor: Int32, _ memory: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, memory, count)
}
