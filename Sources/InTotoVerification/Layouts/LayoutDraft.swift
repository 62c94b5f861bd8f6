public import InTotoCrypto
public import InTotoMetadata

/// A first layout, drafted from what was recorded: it demands what happened, and no more. Whoever signs it reads it first.
public struct LayoutDraft: Sendable {
    /// A link, and those who signed it.
    public struct Recording: Sendable {
        public let link: Link
        public let signers: [PublicKey]

        public init(link: Link, signers: [PublicKey]) {
            self.link = link
            self.signers = signers
        }
    }

    /// The recordings of each step, in an order in which what one step makes comes before who uses it.
    private let steps: [(name: StepName, link: Link, signers: [PublicKey])]

    public init(_ recordings: [Recording]) {
        var names: [StepName] = []
        var links: [StepName: Link] = [:]
        var signers: [StepName: [PublicKey]] = [:]
        for recording in recordings {
            let name = recording.link.name
            if links.updateValue(links[name] ?? recording.link, forKey: name) == nil { names.append(name) }
            signers[name, default: []] += recording.signers.filter { signers[name]?.contains($0) != true }
        }
        let steps = names.sorted().compactMap { name in
            links[name].map { (name: name, link: $0, signers: signers[name] ?? []) }
        }
        self.steps = Self.ordered(steps)
    }

    public func layout(expires: UTCTime) -> Layout {
        var keys: [PublicKey] = []
        for step in steps { keys += step.signers.filter { !keys.contains($0) } }
        return Layout(
            expires: expires, readme: "Drafted from recorded links; read it before you sign it.",
            keys: keys.map { LayoutKey(keyID: $0.keyID(.python), object: $0.keyObject) },
            steps: steps.indices.map(step))
    }

    private func step(_ index: Int) -> Step {
        let (name, link, signers) = steps[index]
        return Step(
            name: name, threshold: max(1, signers.count), keyIDs: signers.map { $0.keyID(.python) },
            expectedCommand: link.command, expectedMaterials: materialRules(index), expectedProducts: productRules(link)
        )
    }

    /// What earlier steps made is matched with them, the nearest first; the rest is allowed by name.
    private func materialRules(_ index: Int) -> [ArtifactRule] {
        var rules: [ArtifactRule] = []
        var left = Array(steps[index].link.materials)
        for earlier in steps[..<index].reversed() {
            let rest = left.filter { earlier.link.products[$0.name]?.compare(with: $0.digests) != .same }
            guard rest.count < left.count else { continue }
            rules.append(.match(ArtifactMatch(GlobPattern("*"), with: .products, from: earlier.name.text)))
            left = rest
        }
        return rules + Self.patterns(left.map(\.name)).map { .allow($0) } + [.disallow(GlobPattern("*"))]
    }

    private func productRules(_ link: Link) -> [ArtifactRule] {
        var created: [ArtifactName] = []
        var modified: [ArtifactName] = []
        var unchanged = false
        for product in link.products {
            switch link.materials[product.name]?.compare(with: product.digests) {
            case nil: created.append(product.name)
            case .same?: unchanged = true
            case .different?, .incomparable?: modified.append(product.name)
            }
        }
        var rules: [ArtifactRule] = Self.patterns(created).map { .create($0) }
        rules += Self.patterns(modified).map { .modify($0) }
        if unchanged { rules.append(.match(ArtifactMatch(GlobPattern("*"), with: .materials, from: link.name.text))) }
        return rules + [.disallow(GlobPattern("*"))]
    }

    /// Most names of one directory that are listed one by one.
    private static let listedNames = 5

    /// The names themselves, or their directories where these hold many.
    private static func patterns(_ names: [ArtifactName]) -> [GlobPattern] {
        var directories: [[UInt8]: [ArtifactName]] = [:]
        for name in names {
            let slash = name.text.utf8.firstIndex(of: UInt8(ascii: "/"))
            directories[slash.map { Array(name.text.utf8[...$0]) } ?? [], default: []].append(name)
        }
        var patterns: [GlobPattern] = []
        for (directory, names) in directories.sorted(by: { $0.key.precedesBytewise($1.key) }) {
            if !directory.isEmpty && names.count > listedNames {
                patterns.append(GlobPattern(Text(repairing: escaped(directory) + [UInt8(ascii: "*")])))
            } else {
                patterns += names.map { GlobPattern(Text(repairing: escaped($0.text.utf8))) }
            }
        }
        return patterns
    }

    /// What matches this text only.
    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { "*?[".utf8.contains($0) ? [UInt8(ascii: "["), $0, UInt8(ascii: "]")] : [$0] }
    }

    /// Those whose materials others make come after them; where that decides nothing, by name.
    private static func ordered(
        _ steps: [(name: StepName, link: Link, signers: [PublicKey])]
    ) -> [(name: StepName, link: Link, signers: [PublicKey])] {
        var left = steps
        var ordered: [(name: StepName, link: Link, signers: [PublicKey])] = []
        while !left.isEmpty {
            let free = left.firstIndex { step in
                !left.contains { $0.name != step.name && uses(step.link, $0.link) && !uses($0.link, step.link) }
            }
            ordered.append(left.remove(at: free ?? 0))
        }
        return ordered
    }

    /// Whether a material of one is a product of the other, made there.
    private static func uses(_ link: Link, _ other: Link) -> Bool {
        link.materials.contains { material in
            other.products[material.name]?.compare(with: material.digests) == .same
                && other.materials[material.name]?.compare(with: material.digests) != .same
        }
    }
}
