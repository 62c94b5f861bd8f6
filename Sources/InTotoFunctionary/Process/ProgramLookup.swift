#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Finds a program as `execvp` does, so that it is known before the step starts whether there is one.
package enum ProgramLookup {
    /// The path of the program that `command` names.
    ///
    /// Throws `.notFound`, `.notExecutable` (also for a directory) and `.containsNUL`.
    package static func resolve(_ command: Command) throws(LaunchError) -> [UInt8] {
        guard let program = command.arguments.first, !program.isEmpty else { throw .emptyCommand }
        for string in command.arguments + command.environment where string.contains(0) {
            throw .containsNUL(argument: string)
        }
        if let directory = command.directory { try check(directory) }
        if program.contains(UInt8(ascii: "/")) {
            if let problem = problem(with: program, in: command.directory) { throw problem }
            return program
        }
        var firstRefusal: LaunchError?
        for directory in directories(in: command.environment) {
            let candidate = directory.isEmpty ? program : directory + [UInt8(ascii: "/")] + program
            switch problem(with: candidate, in: command.directory) {
            case nil: return candidate
            case .notExecutable(let path, let errno)?:
                firstRefusal = firstRefusal ?? .notExecutable(path: path, errno: errno)
            default: continue
            }
        }
        throw firstRefusal ?? .notFound(program: program)
    }

    private static func check(_ directory: [UInt8]) throws(LaunchError) {
        let descriptor = open(
            directory.map { CChar(bitPattern: $0) } + [0], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            // One that may be entered but not listed will do.
            guard errno == EACCES, access(directory.map { CChar(bitPattern: $0) } + [0], X_OK) == 0 else {
                throw .badDirectory(path: directory, errno: errno)
            }
            return
        }
        close(descriptor)
    }

    /// The directories where the command, too, will look for programs.
    static func searchPath(of command: Command) -> [[UInt8]] { directories(in: command.environment).map { Array($0) } }

    private static func directories(in environment: [[UInt8]]) -> [ArraySlice<UInt8>] {
        let prefix = Array("PATH=".utf8)
        let value = environment.first { $0.starts(with: prefix) }?.dropFirst(prefix.count)
        return (value ?? ArraySlice("/usr/local/bin:/usr/bin:/bin".utf8))
            .split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    }

    /// Nil where `path`, seen from `directory`, is a file that we may execute.
    private static func problem(with path: [UInt8], in directory: [UInt8]?) -> LaunchError? {
        let isRelative = path.first != UInt8(ascii: "/")
        let seen = isRelative ? directory.map { $0 + [UInt8(ascii: "/")] + path } ?? path : path
        let name = seen.map { CChar(bitPattern: $0) } + [0]
        var status = stat()
        guard stat(name, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR
                ? .notFound(program: path) : .notExecutable(path: path, errno: errno)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { return .notExecutable(path: path, errno: EISDIR) }
        guard faccessat(AT_FDCWD, name, X_OK, AT_EACCESS) == 0 else {
            return .notExecutable(path: path, errno: errno)
        }
        return nil
    }
}
