private import CLibgit2

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Whether we may read a repository: ours, or one that the machine's or the user's git configuration calls safe.
///
/// Source: git, `setup.c`, `ensure_valid_ownership`; `git-config(1)`, `safe.directory`.
struct GitOwnership {
    let options: GitOptions

    func check(_ location: GitLocation) throws(GitError) {
        if options.trustsOwner { return }
        let dotGit = location.root.map { PathBytes.join($0, ".git".utf8) }
        for path in [location.root, dotGit, location.gitDirectory, location.commonDirectory].compactMap(\.self) {
            var status = stat()
            let result = (path + [0]).withUnsafeBufferPointer { buffer in
                buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { lstat($0, &status) } ?? -1 }
            }
            guard result == 0 else { throw .broken(path: path, "vanished") }
            if isOurs(status.st_uid) { continue }
            let repository = location.root ?? location.gitDirectory
            guard try isDeclaredSafe(repository) else {
                throw .foreignOwner(path: path, user: status.st_uid, repository: repository)
            }
        }
    }

    /// Root, called through sudo, is also whoever called it.
    private func isOurs(_ user: UInt32) -> Bool {
        let ours = geteuid()
        return user == ours || ours == 0 && options.callingUser == user
    }

    // MARK: safe.directory

    private func isDeclaredSafe(_ repository: [UInt8]) throws(GitError) -> Bool {
        var isSafe = false
        for value in try safeDirectories() {
            if value.isEmpty {
                // Takes back what stood before.
                isSafe = false
            } else if value == [star] {
                isSafe = true
            } else if value.suffix(2).elementsEqual("/*".utf8) {
                isSafe = isSafe || PathBytes.isWithin(repository, expanded(Array(value.dropLast(2))))
            } else {
                isSafe = isSafe || expanded(value) == repository
            }
        }
        return isSafe
    }

    private func expanded(_ path: [UInt8]) -> [UInt8] {
        var path = path
        if path.starts(with: "~/".utf8), let home = options.home { path = PathBytes.join(home, path.dropFirst(2)) }
        while path.count > 1, path.last == slash { path.removeLast() }
        return path
    }

    /// In git's order: of the system, of the user. Never the repository's own.
    private func safeDirectories() throws(GitError) -> [[UInt8]] {
        let functions = try GitLibrary.functions()
        var values = Self.safeDirectories(in: Array("/etc/gitconfig".utf8), functions)
        let configuration = options.configurationHome ?? options.home.map { PathBytes.join($0, ".config".utf8) }
        if let configuration {
            values += Self.safeDirectories(in: PathBytes.join(configuration, "git/config".utf8), functions)
        }
        if let home = options.home {
            values += Self.safeDirectories(in: PathBytes.join(home, ".gitconfig".utf8), functions)
        }
        return values
    }

    /// A file that is absent or malformed declares nothing.
    private static func safeDirectories(in path: [UInt8], _ functions: cgit_functions) -> [[UInt8]] {
        guard path.first == slash, GitLocation.status(path) != nil else { return [] }
        var configuration: OpaquePointer?
        guard functions.config_new(&configuration) == 0 else { return [] }
        defer { functions.config_free(configuration) }
        let added = (path + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                functions.config_add_file_ondisk(configuration, $0.baseAddress, GIT_CONFIG_LEVEL_GLOBAL, nil, 0)
            }
        }
        var iterator: OpaquePointer?
        guard added == 0, functions.config_multivar_iterator_new(&iterator, configuration, "safe.directory", nil) == 0
        else { return [] }
        defer { functions.config_iterator_free(iterator) }
        var values: [[UInt8]] = []
        var entry: UnsafeMutablePointer<git_config_entry>?
        while functions.config_next(&entry, iterator) == 0, let value = entry?.pointee.value {
            values.append(GitLibrary.bytes(of: value))
        }
        return values
    }
}
