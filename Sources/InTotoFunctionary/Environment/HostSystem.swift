internal import InTotoMetadata
public import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The system that a step ran on, as far as it says so without being asked by name: no host name, no user.
public struct HostSystem: Hashable, Sendable {
    /// The kernel's release, as `uname -r` prints it.
    public var kernelRelease: [UInt8]
    /// `ID` and `VERSION_ID` of os-release(5), as far as they are there.
    public var distribution: [UInt8]?
    public var distributionVersion: [UInt8]?
    /// What suggests a container, in a fixed order; none seen is no proof that there is none.
    public var containerSigns: [String]

    /// Looks at the files below `root` and at the variables of our caller.
    public init(root: FilePath = "/", environment: [[UInt8]]) {
        kernelRelease = Self.kernelRelease()
        let release = ["etc/os-release", "usr/lib/os-release"].lazy
            .compactMap { Self.start(of: root.appending($0)) }.first
        let fields = Self.osReleaseFields(release ?? [])
        distribution = fields["ID"]
        distributionVersion = fields["VERSION_ID"]
        containerSigns = Self.containerSigns(root, environment)
    }

    private static func kernelRelease() -> [UInt8] {
        var names = utsname()
        guard uname(&names) == 0 else { return [] }
        return withUnsafeBytes(of: names.release) { $0.prefix { $0 != 0 }.map { $0 } }
    }

    // MARK: os-release

    /// `NAME=value` lines, values as a shell would read them; the last line of a name counts.
    static func osReleaseFields(_ content: [UInt8]) -> [String: [UInt8]] {
        var fields: [String: [UInt8]] = [:]
        for line in content.split(separator: UInt8(ascii: "\n")) {
            guard let separator = line.firstIndex(of: UInt8(ascii: "=")), line.first != UInt8(ascii: "#") else {
                continue
            }
            let value = unquoted(line[(separator + 1)...])
            fields[String(decoding: line[..<separator], as: UTF8.self)] = value.isEmpty ? nil : value
        }
        return fields
    }

    private static func unquoted(_ value: ArraySlice<UInt8>) -> [UInt8] {
        guard let quote = value.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
            value.count >= 2, value.last == quote
        else { return Array(value) }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in value.dropFirst().dropLast() {
            if !isEscaped, byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                isEscaped = true
            } else {
                result.append(byte)
                isEscaped = false
            }
        }
        return result
    }

    // MARK: Containers

    /// Words in the names of control groups that container runtimes choose.
    private static let controlGroupWords = ["docker", "kubepods", "containerd", "libpod", "lxc"]

    private static func containerSigns(_ root: FilePath, _ environment: [[UInt8]]) -> [String] {
        var signs = [".dockerenv", "run/.containerenv"]
            .filter { name in root.appending(name).withCString { access($0, F_OK) == 0 } }.map { "/\($0)" }
        let groups = start(of: root.appending("proc/self/cgroup")) ?? []
        signs += controlGroupWords.filter { groups.firstOccurrence(of: Array($0.utf8)) != nil }
            .map { "control group '\($0)'" }
        let variables = ["container", "KUBERNETES_SERVICE_HOST"]
        signs += variables.filter { name in
            environment.contains { $0.starts(with: Array("\(name)=".utf8)) && $0.count > name.utf8.count + 1 }
        }.map { "variable '\($0)'" }
        return signs
    }

    /// At most the first 64 KiB of a file; nil where it cannot be read.
    static func start(of path: FilePath) -> [UInt8]? {
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &buffer, buffer.count)
        return count < 0 ? nil : Array(buffer[..<count])
    }
}

/// Who ran a step; recorded only where that was asked for.
public struct UserIdentity: Hashable, Sendable {
    public var user: UInt32
    public var group: UInt32
    /// As `/etc/passwd` has it: no directory service is asked, which could mean the network.
    public var name: [UInt8]?

    public static func current(root: FilePath = "/") -> UserIdentity {
        let user = getuid()
        let lines = (HostSystem.start(of: root.appending("etc/passwd")) ?? []).split(separator: UInt8(ascii: "\n"))
        let own = lines.lazy.map { $0.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) }
            .first { $0.count > 2 && $0[2].elementsEqual("\(user)".utf8) }
        return UserIdentity(user: user, group: getgid(), name: own.map { Array($0[0]) })
    }
}
