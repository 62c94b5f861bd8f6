/// The first line of a script, `#!interpreter argument`, as Linux and `env` read it.
struct ScriptInterpreter: Hashable {
    var path: [UInt8]
    /// Everything after the interpreter: one argument, whatever blanks it has.
    var argument: [UInt8]

    /// Nil where the file is no script. Like the kernel, looks at no more than 256 bytes.
    init?(firstLine start: [UInt8]) {
        guard start.starts(with: Array("#!".utf8)) else { return nil }
        let line = start.dropFirst(2).prefix(254).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        let text = line.drop(while: Self.isBlank)
        path = Array(text.prefix { !Self.isBlank($0) })
        let rest = text.dropFirst(path.count).drop(while: Self.isBlank)
        argument = Array(rest.reversed().drop(while: Self.isBlank).reversed())
        guard !path.isEmpty else { return nil }
    }

    /// Whether the interpreter is named without a directory: the kernel takes it from the current one, not from `PATH`.
    var isName: Bool { !path.contains(UInt8(ascii: "/")) }

    /// What `env`, if it is the interpreter, runs: `python3` for `#!/usr/bin/env -S python3 -u`.
    var programOfEnv: [UInt8]? {
        guard let name = path.split(separator: UInt8(ascii: "/")).last, name.elementsEqual("env".utf8) else {
            return nil
        }
        // Without -S, all of it is one word.
        var words = [argument[...]]
        if let split = splitArgument { words = split.split(whereSeparator: Self.isBlank) }
        while let word = words.first {
            words.removeFirst()
            if Self.takingAnother.contains(Array(word)) { words = Array(words.dropFirst()) }
            guard word.first == UInt8(ascii: "-") || word.contains(UInt8(ascii: "=")) else {
                return word.isEmpty ? nil : Array(word)
            }
        }
        return nil
    }

    /// What stands after `-S`, also among other short options (`-vS`), or after `--split-string=`.
    private var splitArgument: ArraySlice<UInt8>? {
        let long = Array("--split-string=".utf8)
        if argument.starts(with: long) { return argument.dropFirst(long.count) }
        guard argument.first == UInt8(ascii: "-"), let place = argument.firstIndex(of: UInt8(ascii: "S")) else {
            return nil
        }
        let options = argument[1..<place]
        return options.allSatisfy { Array("iv0".utf8).contains($0) } ? argument[(place + 1)...] : nil
    }

    /// Options of `env` whose value is the next word.
    private static let takingAnother = Set(["-u", "-C", "--unset", "--chdir"].map { Array($0.utf8) })

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
