import InTotoMetadata

/// Something in a link that a person should look at twice; none of it is an error by itself.
struct Oddity {
    /// `material`, `product`, `environment` or `byproduct`.
    let kind: String
    /// The artifact or the member.
    let name: Text
    let reason: String

    var line: String { "odd: \(kind) '\(name.escaped)' \(reason)" }

    var json: JSONValue {
        ["kind": .string(Text(kind)), "name": .string(name), "reason": .string(Text(reason))]
    }

    static func all(in link: Link) -> [Oddity] {
        artifacts("material", link.materials) + artifacts("product", link.products) + byproducts(of: link)
            + environment(link.environment)
    }

    // MARK: Artifacts

    private static func artifacts(_ kind: String, _ artifacts: ArtifactSet) -> [Oddity] {
        var oddities: [Oddity] = []
        var namesAreOdd = false
        for artifact in artifacts {
            let name = artifact.name.text
            if let reason = nameProblem(name) {
                namesAreOdd = true
                oddities.append(Oddity(kind: kind, name: name, reason: reason))
            }
            if let reason = digestProblem(artifact.digests) {
                oddities.append(Oddity(kind: kind, name: name, reason: reason))
            }
        }
        return namesAreOdd ? oddities + collisions(kind, artifacts) : oddities
    }

    private static func collisions(_ kind: String, _ artifacts: ArtifactSet) -> [Oddity] {
        var names: [Text: Text] = [:]
        return artifacts.compactMap { artifact in
            let name = artifact.name.text
            guard let other = names.updateValue(name, forKey: plain(name)) else { return nil }
            return Oddity(kind: kind, name: name, reason: "means the same path as '\(other.escaped)'")
        }
    }

    private static func nameProblem(_ name: Text) -> String? {
        if name.isEmpty { return "has an empty name" }
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.contains(where: { $0.elementsEqual("..".utf8) }) { return "has a name with '..'" }
        if parts[0].isEmpty { return "has an absolute name" }
        if parts.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) }) {
            return "has a name with needless '.' or '/'"
        }
        if name.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return nil }
        // Escaping also doubles backslashes.
        let isHidden = name.escaped.utf8.count != name.utf8.count + name.utf8.count { $0 == UInt8(ascii: "\\") }
        return isHidden ? "has invisible characters in its name" : nil
    }

    /// Without `.`, needless slashes, and `..` where something stands before it.
    private static func plain(_ name: Text) -> Text {
        var parts: [ArraySlice<UInt8>] = []
        for part in name.utf8.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8), let last = parts.last, !last.elementsEqual("..".utf8) {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        return Text(repairing: Array(parts.joined(separator: [UInt8(ascii: "/")])))
    }

    private static func digestProblem(_ digests: DigestSet) -> String? {
        guard !digests.isEmpty else { return "has no digest" }
        for entry in digests.entries {
            guard let lengths = lengths[entry.algorithm.name] else { continue }
            let algorithm = entry.algorithm.name
            guard lengths.contains(entry.value.utf8.count) else {
                return "has a \(algorithm) digest of \(entry.value.utf8.count) characters, not \(lengths[0])"
            }
            guard Hex.decode(entry.value) != nil else { return "has a \(algorithm) digest that is not hexadecimal" }
        }
        return digests.entries.contains { $0.algorithm.isStrong } ? nil : "has no digest that is strong today"
    }

    /// Hexadecimal digits. Spec: in-toto attestation v1, DigestSet.
    private static let lengths: [Text: [Int]] = [
        "md5": [32], "sha1": [40], "sha224": [56], "sha256": [64], "sha384": [96], "sha512": [128], "sha3_256": [64],
        "sha3_512": [128], "dirHash": [64], "gitBlob": [40, 64], "gitTree": [40, 64], "gitCommit": [40, 64],
        "gitTag": [40, 64],
    ]

    // MARK: The rest

    private static func byproducts(of link: Link) -> [Oddity] {
        var oddities: [Oddity] = []
        func add(_ name: Text, _ reason: String) {
            oddities.append(Oddity(kind: "byproduct", name: name, reason: reason))
        }
        switch link.byproducts["return-value"] {
        case .integer(0)?: break
        case .integer(let status)?: add("return-value", "is \(status): the command did not succeed")
        case .some: add("return-value", "is no whole number")
        case nil where !link.command.isEmpty: add("return-value", "is missing, though there was a command")
        case nil: break
        }
        if link.byproducts["timed-out"] != nil { add("timed-out", "is there: the command was ended by force") }
        if link.byproducts["background-processes"] != nil {
            add("background-processes", "is there: not everything had ended when products were recorded")
        }
        return oddities
    }

    private static func environment(_ environment: JSONObject) -> [Oddity] {
        var oddities: [Oddity] = []
        func add(_ name: Text, _ reason: String) {
            oddities.append(Oddity(kind: "environment", name: name, reason: reason))
        }
        if case .string(let directory)? = environment["workdir"], directory.utf8.first != UInt8(ascii: "/") {
            add("workdir", "is not absolute")
        }
        for name in variables(environment) where steering.contains(name) {
            add(name, "can make programs run other code than their own")
        }
        if case .array(let entries)? = environment["not-recorded"] {
            add(
                "not-recorded",
                "names \(entries.count == 1 ? "a path that is" : "\(entries.count) paths that are") no artifact")
        }
        return oddities
    }

    /// Names of the variables that were recorded: as an object, as `NAME=value`, or as members by themselves.
    private static func variables(_ environment: JSONObject) -> [Text] {
        var names = environment.members.map(\.name)
        switch environment["variables"] {
        case .object(let object)?: names += object.members.map(\.name)
        case .array(let entries)?:
            for case .string(let entry) in entries {
                names.append(Text(repairing: entry.utf8.prefix { $0 != UInt8(ascii: "=") }))
            }
        default: break
        }
        return names
    }

    /// Variables that loaders, shells and interpreters obey.
    private static let steering: Set<Text> = [
        "BASH_ENV", "DYLD_INSERT_LIBRARIES", "DYLD_LIBRARY_PATH", "ENV", "GCONV_PATH", "GIT_EXEC_PATH",
        "GIT_SSH_COMMAND",
        "JAVA_TOOL_OPTIONS", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_OPTIONS", "OPENSSL_CONF", "PERL5LIB",
        "PERL5OPT", "PROMPT_COMMAND", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "RUBYLIB", "RUBYOPT",
    ]
}
