package import InTotoMetadata
import SystemPackage

/// The id of an object: 40 hexadecimal digits in lower case, or 64 in a repository that uses SHA-256.
package struct GitObjectID: Hashable, Sendable {
    package let text: Text

    /// Nil for what is no full id.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 40 || bytes.count == 64, bytes.allSatisfy(Self.isDigit) else { return nil }
        text = Text(trusted: Array(bytes))
    }

    init(raw: some Sequence<UInt8>) { text = Hex.encode(raw) }

    var raw: [UInt8] { Hex.decode(text) ?? [] }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// What HEAD is.
package enum GitHead: Hashable, Sendable {
    /// The full name of the reference, and the commit; nil before the first one.
    case branch([UInt8], GitObjectID?)
    case detached(GitObjectID)

    package var commit: GitObjectID? {
        switch self {
        case .branch(_, let commit): commit
        case .detached(let commit): commit
        }
    }
}

/// Reads references: files below `refs/`, and `packed-refs`. Source: git, `gitrepository-layout(5)`, `pack-refs(1)`.
///
/// A reference is read as the id that stands there, through nothing else, so that what is recorded is what was found.
struct GitReferences: ~Copyable {
    private let own: GitDirectory
    private let common: GitDirectory
    private let packed: PackedReferences

    /// Larger files of packed references are refused, in bytes: about a million references.
    private static let packedLimit = 64 << 20
    /// How many files below `refs/tags` are read; git packs them long before.
    private static let looseTagLimit = 20_000

    init(_ location: GitLocation) throws(GitError) {
        let own = try GitDirectory(location.gitDirectory)
        let common = try GitDirectory(location.commonDirectory)
        packed = PackedReferences(
            content: try common.contents(of: "packed-refs".utf8, limit: Self.packedLimit) ?? [])
        self.own = own
        self.common = common
    }

    func head() throws(GitError) -> GitHead {
        let path = PathBytes.join(own.path, "HEAD".utf8)
        guard let line = try own.contents(of: "HEAD".utf8, limit: 4096).map(Self.line) else {
            throw .broken(path: path, "is missing")
        }
        if let id = GitObjectID(line) { return .detached(id) }
        guard let name = Self.target(line) else { throw .broken(path: path, "is neither a reference nor an object id") }
        return .branch(name, try id(of: name))
    }

    /// Nil where there is no such reference.
    func id(of name: [UInt8]) throws(GitError) -> GitObjectID? {
        var name = name
        for _ in 0..<5 {
            guard Self.isSound(name) else { throw .broken(path: name, "is no name of a reference") }
            guard let line = try common.contents(of: name, limit: 4096).map(Self.line) else {
                return packed.id(of: name)
            }
            if let id = GitObjectID(line) { return id }
            guard let next = Self.target(line) else {
                throw .broken(path: PathBytes.join(common.path, name), "holds no object id")
            }
            name = next
        }
        throw .broken(path: name, "leads through more than 5 references")
    }

    /// A tag, by its name without `refs/tags/`, and the object that it names; the commit where that is known.
    struct Tag {
        var name: [UInt8]
        var target: GitObjectID
        var peeled: GitObjectID?
    }

    /// All tags, and whether there were too many to read.
    func tags() throws(GitError) -> (tags: [Tag], isComplete: Bool) {
        var (tags, isComplete) = packed.tags()
        let packedNames = Dictionary(tags.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { $1 })
        var names: [[UInt8]] = []
        try looseTags([], &names, &isComplete)
        for name in names {
            let reference = Array("refs/tags/".utf8) + name
            guard let line = try common.contents(of: reference, limit: 4096).map(Self.line),
                let id = GitObjectID(line)
            else {
                isComplete = false
                continue
            }
            let tag = Tag(name: name, target: id)
            // A file counts more than the packed one of that name.
            if let index = packedNames[name] { tags[index] = tag } else { tags.append(tag) }
        }
        return (tags.sorted { $0.name.precedesBytewise($1.name) }, isComplete)
    }

    private func looseTags(_ folder: [UInt8], _ names: inout [[UInt8]], _ isComplete: inout Bool) throws(GitError) {
        guard folder.count(where: { $0 == slash }) < 32 else {
            isComplete = false
            return
        }
        let path = PathBytes.join(Array("refs/tags".utf8), folder)
        var folders: [[UInt8]] = []
        do throws(SystemError) {
            var parts = path.split(separator: slash)
            var reader = try Self.reader(&parts, in: common.descriptor.number)
            while let (name, kind) = try reader.next() {
                let full = PathBytes.join(folder, name)
                guard names.count + folders.count < Self.looseTagLimit else {
                    isComplete = false
                    return
                }
                if kind == .directory { folders.append(full) } else { names.append(full) }
            }
        } catch {
            if error.code == .noSuchFileOrDirectory { return }
            throw .broken(path: PathBytes.join(common.path, path), "cannot be listed: \(error.code)")
        }
        for folder in folders { try looseTags(folder, &names, &isComplete) }
    }

    private static func reader(
        _ parts: inout [ArraySlice<UInt8>], in directory: Int32
    ) throws(SystemError) -> DirectoryReader {
        guard !parts.isEmpty else { return try DirectoryReader(directory) }
        let next = try SystemCalls.openDirectory(parts.removeFirst(), in: directory)
        return try reader(&parts, in: next.number)
    }

    /// The name behind `ref:`.
    private static func target(_ line: [UInt8]) -> [UInt8]? {
        guard line.starts(with: "ref:".utf8) else { return nil }
        let name = Array(line.dropFirst(4).drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") })
        return isSound(name) ? name : nil
    }

    private static func line(_ content: [UInt8]) -> [UInt8] {
        var line = content
        while let last = line.last, [0x0A, 0x0D, 0x20, 0x09].contains(last) { line.removeLast() }
        return line
    }

    /// Below `refs/`, and with nothing that would lead elsewhere. Source: `git-check-ref-format(1)`.
    static func isSound(_ name: some Collection<UInt8>) -> Bool {
        guard name.starts(with: "refs/".utf8), name.count <= 1024 else { return false }
        return name.split(separator: slash, omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.first != UInt8(ascii: ".") && part.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        }
    }
}

/// The file `packed-refs`, looked through anew for each question.
struct PackedReferences {
    var content: [UInt8]

    func id(of name: [UInt8]) -> GitObjectID? {
        var position = 0
        while let entry = entry(beginningWith: name, from: &position) {
            if entry.name.count == name.count { return entry.id }
        }
        return nil
    }

    /// Tags, and whether these are all: git passes over unsound names as well. Where git says that it noted what every
    /// tag leads to, one without a note leads to no other object.
    func tags() -> (tags: [GitReferences.Tag], isComplete: Bool) {
        var tags: [GitReferences.Tag] = []
        var isComplete = true
        let header = content.prefix(256).prefix { $0 != UInt8(ascii: "\n") }.split(separator: UInt8(ascii: " "))
        let isFullyPeeled =
            header.starts(with: ["#", "pack-refs", "with:"].map { Array($0.utf8)[...] })
            && header.contains(Array("fully-peeled".utf8)[...])
        let prefix = Array("refs/tags/".utf8)
        var position = 0
        while let entry = entry(beginningWith: prefix, from: &position) {
            guard GitReferences.isSound(entry.name) else {
                isComplete = false
                continue
            }
            let peeled = entry.peeled ?? (isFullyPeeled ? entry.id : nil)
            tags.append(.init(name: Array(entry.name.dropFirst(prefix.count)), target: entry.id, peeled: peeled))
        }
        return (tags, isComplete)
    }

    private struct Entry {
        var name: ArraySlice<UInt8>
        var id: GitObjectID
        var peeled: GitObjectID?
    }

    /// The next of the lines `ID NAME`, each perhaps followed by `^ID` of what the tag leads to. Lines with other names are
    /// not looked at: there may be millions, of anything.
    private func entry(beginningWith prefix: [UInt8], from position: inout Int) -> Entry? {
        while let found = SystemCalls.firstRange(of: [UInt8(ascii: " ")] + prefix, in: content, from: position) {
            position = found.upperBound
            guard let id = id(before: found.lowerBound) else { continue }
            let end = endOfLine(from: position)
            var peeled: GitObjectID?
            position = min(end + 1, content.count)
            if position < content.count, content[position] == UInt8(ascii: "^") {
                peeled = GitObjectID(content[(position + 1)..<endOfLine(from: position)])
            }
            return Entry(name: content[(found.lowerBound + 1)..<end], id: id, peeled: peeled)
        }
        return nil
    }

    /// The id that begins a line and ends at `end`.
    private func id(before end: Int) -> GitObjectID? {
        for start in [end - 40, end - 64] where start >= 0 {
            if start == 0 || content[start - 1] == UInt8(ascii: "\n"), let id = GitObjectID(content[start..<end]) {
                return id
            }
        }
        return nil
    }

    private func endOfLine(from start: Int) -> Int {
        SystemCalls.firstRange(of: [UInt8(ascii: "\n")], in: content, from: start)?.lowerBound ?? content.count
    }
}
