import CLibgit2
import InTotoCrypto
import InTotoMetadata

/// The functions of libgit2, loaded when a repository is first read.
enum GitLibrary {
    /// One for the process, since loading, isolating and initialising are the process's too.
    private static let loaded: Result<Loaded, GitError> = load()

    /// The table never changes after it was filled.
    private struct Loaded: @unchecked Sendable {
        var functions = cgit_functions()
    }

    static func functions() throws(GitError) -> cgit_functions { try loaded.get().functions }

    /// What the library's last failure on this thread was.
    static func lastError(_ functions: cgit_functions) -> String {
        guard let message = functions.error_last()?.pointee.message else { return "unknown error" }
        return escapedForTerminal(bytes(of: message))
    }

    static func bytes(of text: UnsafePointer<CChar>) -> [UInt8] { Array(String(cString: text).utf8) }

    private static func load() -> Result<Loaded, GitError> {
        // libgit2 initialises OpenSSL as well; ours, which reads no configuration, has to be first.
        guard (try? MessageDigest(.sha1)) != nil else { return .failure(.library("OpenSSL cannot be used")) }
        var loaded = Loaded()
        var reason: UnsafePointer<CChar>?
        guard cgit_load(&loaded.functions, &reason) == 0 else {
            return .failure(.library(reason.map { escapedForTerminal(bytes(of: $0)) } ?? "unknown error"))
        }
        return .success(loaded)
    }
}
