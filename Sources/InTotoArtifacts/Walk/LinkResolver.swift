import SystemPackage

/// Follows links as the kernel does, but one at a time and never outside the root.
///
/// What it finds is a path without links, to be walked again by `DirectoryTrail`, which follows none: a link that
/// changes meanwhile leads to an error, not outside.
struct LinkResolver {
    enum Outcome {
        case directory([UInt8])
        case file(directory: [UInt8], name: [UInt8], FileStatus)
        case notRecorded(NotRecorded.Reason)
        /// Nothing is there, and no link was on the way.
        case absent
    }

    let trail: DirectoryTrail
    /// Where the root is, with every link resolved, so that absolute links into it can be followed.
    let absoluteRoot: [UInt8]?
    /// Nil: links are not followed; the first one met is returned as a file of that kind.
    let linkLimit: Int?

    /// Resolves `path`, which starts at `directory`, a path without links.
    func resolve(_ path: [UInt8], from directory: [UInt8]) throws(SystemError) -> Outcome {
        var here = directory
        var links = 0
        guard var rest = enter(path, &here) else { return .notRecorded(.linkOutsideBase) }
        while let part = rest.popLast() {
            if part == [UInt8(ascii: "."), UInt8(ascii: ".")] {
                if here.isEmpty { return .notRecorded(.linkOutsideBase) }
                here = PathBytes.split(here).directory
                continue
            }
            let parent = try trail.descriptor(of: here)
            let status: FileStatus
            do { status = try SystemCalls.status(part[...], in: parent) } catch {
                guard error.code == .noSuchFileOrDirectory else { throw error }
                return links > 0 ? .notRecorded(.danglingLink) : .absent
            }
            switch status.kind {
            case .directory: here = PathBytes.join(here, part)
            case .symbolicLink:
                guard let linkLimit else { return .file(directory: here, name: part, status) }
                links += 1
                if links > linkLimit { return .notRecorded(.linkCycle) }
                let target = try SystemCalls.linkTarget(part[...], in: parent)
                guard let next = enter(target, &here) else { return .notRecorded(.linkOutsideBase) }
                rest += next
            case .regular, .fifo, .socket, .device:
                // As the kernel has it, nothing is below a file.
                guard rest.isEmpty else { return links > 0 ? .notRecorded(.danglingLink) : .absent }
                return .file(directory: here, name: part, status)
            }
        }
        return .directory(here)
    }

    /// The parts of a path, last first; an absolute one starts at the root, if it leads there at all.
    private func enter(_ path: [UInt8], _ here: inout [UInt8]) -> [[UInt8]]? {
        guard path.first == slash else { return Self.parts(path) }
        guard let absoluteRoot else { return nil }
        let root = absoluteRoot == [slash] ? [] : absoluteRoot
        guard PathBytes.isWithin(path, root) else { return nil }
        here = []
        return Self.parts(Array(path.dropFirst(root.count)))
    }

    private static func parts(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }.map { Array($0) }.reversed()
    }
}
