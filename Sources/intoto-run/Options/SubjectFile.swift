import InTotoArtifacts
import InTotoMetadata
import InTotoStorage
import InTotoVerification
import SystemPackage

/// A file that a summary is to be about, and what it is called.
struct SubjectFile {
    /// What is read: the file as it was named.
    let path: Text
    /// What a product may be called that is this file: its path without detours (`./x`, `a/../x`, `a//x`), first from the
    /// current directory where it is below that, then from the root where it was named so; and as it was named.
    private let names: [ArtifactName]

    /// A product of the last step, under its own name.
    init(product name: ArtifactName) {
        path = name.text
        names = [name]
    }

    /// Throws where nothing is there.
    init(_ file: String, in context: CommandContext) throws {
        path = Text(file)
        guard SingleFile.isThere(path) else {
            throw Failure("--vsa-subject \(path.escaped): there is no such file", hint: "name what was verified")
        }
        let given = FilePath(file)
        let below = Self.directories(context).compactMap { directory -> FilePath? in
            var path = directory.pushing(given).lexicallyNormalized()
            return path.removePrefix(directory) && !path.isEmpty ? path : nil
        }
        names = (below + [given.lexicallyNormalized()]).map { ArtifactName(Text($0.string)) } + [ArtifactName(path)]
    }

    /// What it is called beside these products: like each of them whose place it has, or else as briefly as it can be.
    func names(among products: ArtifactSet) -> [ArtifactName] {
        var taken: [ArtifactName] = []
        for name in names where products[name] != nil && !taken.contains(name) { taken.append(name) }
        return taken.isEmpty ? Array(names.prefix(1)) : taken
    }

    /// The paths of the current directory: its own, and the one by which the user's shell came there.
    private static func directories(_ context: CommandContext) -> [FilePath] {
        let own = FilePath(String(decoding: context.workingDirectory, as: UTF8.self))
        guard let variable = context.variable("PWD").map({ FilePath(String(decoding: $0, as: UTF8.self)) }),
            variable.isAbsolute, let there = try? EvidenceDirectory(variable),
            let here = try? EvidenceDirectory("."), there.isSame(as: here)
        else { return [own] }
        return [own, variable.lexicallyNormalized()]
    }
}
