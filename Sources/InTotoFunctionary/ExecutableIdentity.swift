internal import InTotoCrypto
public import InTotoMetadata

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Which program runs: where it is and what it is.
///
/// What is hashed is the file that stands under the recorded path when the step begins; that it is still this one when
/// the kernel opens it, a moment later, is not shown.
public struct ExecutableIdentity: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// Length in bytes, and SHA-256 as 64 hexadecimal digits.
        case read(size: Int, sha256: Text)
        /// It may run all the same: a program that may be executed and not read is usual for setuid ones.
        case unreadable(reason: String)
    }

    /// Without symbolic links; as it was found where it could not be resolved.
    public var path: [UInt8]
    public var content: Content

    /// The program, then the interpreters of a script: that of its first line, and what `env` makes of that.
    ///
    /// `program` is a path, or a name to be looked for in `searchPath`. Paths are seen from `directory`, or from ours.
    public static func identify(
        program: [UInt8], directory: [UInt8]?, searchPath: [[UInt8]]
    ) -> [ExecutableIdentity] {
        let lookup = ExecutableLookup(directory: directory, searchPath: searchPath)
        var identities: [ExecutableIdentity] = []
        var next: [[UInt8]] = [program]
        // The kernel follows four interpreters that are scripts themselves; each may go through `env`.
        while let name = next.popLast(), identities.count < 10 {
            let (identity, firstLine) = identify(name, lookup)
            identities.append(identity)
            guard let line = ScriptInterpreter(firstLine: firstLine) else { continue }
            if let program = line.programOfEnv { next.append(program) }
            next.append(line.isName ? Array("./".utf8) + line.path : line.path)
        }
        return identities
    }

    private static func identify(
        _ name: [UInt8], _ lookup: ExecutableLookup
    ) -> (identity: ExecutableIdentity, firstLine: [UInt8]) {
        guard let found = lookup.path(of: name) else {
            return (ExecutableIdentity(path: name, content: .unreadable(reason: "not found in PATH")), [])
        }
        var identity = ExecutableIdentity(path: found, content: .unreadable(reason: ""))
        do throws(Unreadable) {
            identity.path = try lookup.realPath(of: found)
            let file = try OpenExecutable(identity.path)
            identity.content = .read(size: file.size, sha256: file.sha256)
            return (identity, file.start)
        } catch {
            identity.content = .unreadable(reason: error.reason)
            return (identity, [])
        }
    }
}

private struct Unreadable: Error {
    var reason: String

    static var lastError: Unreadable { Unreadable(reason: systemErrorText(errno)) }
}

/// Finds programs as the kernel and `env` do.
private struct ExecutableLookup {
    var directory: [UInt8]?
    var searchPath: [[UInt8]]

    /// `name` itself where it is a path; nil where no directory of the search path has it.
    func path(of name: [UInt8]) -> [UInt8]? {
        if name.contains(UInt8(ascii: "/")) { return name }
        return searchPath.lazy.map { ($0.isEmpty ? [UInt8(ascii: ".")] : $0) + [UInt8(ascii: "/")] + name }
            .first(where: isExecutable)
    }

    func realPath(of path: [UInt8]) throws(Unreadable) -> [UInt8] {
        guard let resolved = realpath(seen(path), nil) else { throw .lastError }
        defer { free(resolved) }
        return Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    private func isExecutable(_ path: [UInt8]) -> Bool {
        let name = seen(path)
        var status = stat()
        return stat(name, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && faccessat(AT_FDCWD, name, X_OK, AT_EACCESS) == 0
    }

    private func seen(_ path: [UInt8]) -> [CChar] {
        let isRelative = path.first != UInt8(ascii: "/")
        let seen = isRelative ? directory.map { $0 + [UInt8(ascii: "/")] + path } ?? path : path
        return seen.map { CChar(bitPattern: $0) } + [0]
    }
}

/// A program read through one descriptor, so that its first line and its digest are of the same file.
private struct OpenExecutable {
    /// Enough for the first line, of which the kernel takes 256 bytes.
    var start: [UInt8] = []
    var size = 0
    var sha256: Text = ""

    init(_ path: [UInt8]) throws(Unreadable) {
        // Not blocking: somebody may have put a FIFO there.
        let descriptor = open(path.map { CChar(bitPattern: $0) } + [0], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .lastError }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .lastError }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Unreadable(reason: "not a regular file") }
        var failure: Int32?
        do throws(CryptoError) {
            var digest = try MessageDigest(.sha256)
            failure = try readAll(descriptor, into: &digest)
            sha256 = Hex.encode(try digest.finish())
        } catch {
            throw Unreadable(reason: error.description)
        }
        if let failure { throw Unreadable(reason: systemErrorText(failure)) }
    }

    /// An errno where reading failed.
    private mutating func readAll(_ descriptor: Int32, into digest: inout MessageDigest) throws(CryptoError) -> Int32? {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return nil }
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            if start.count < 256 { start += buffer[..<count].prefix(256 - start.count) }
            size += count
            try digest.update(count == buffer.count ? buffer : Array(buffer[..<count]))
        }
    }
}
