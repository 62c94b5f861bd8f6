public import InTotoMetadata

/// The environment variables that a functionary wants recorded, without the secrets among them.
public struct RecordedVariables: Sendable {
    /// In the caller's order, each name once; the first counts, as for `getenv`. Nothing is masked in them yet: the command
    /// has still to say what else is secret.
    public private(set) var values: [(name: Text, value: [UInt8])] = []
    /// Names that were asked for and are not recorded: a pattern matches what looks secret, or the value does. Sorted.
    public private(set) var withheld: [Text] = []
    /// Names that look secret and were named exactly, whose values are recorded as they are.
    public private(set) var recordedSecrets: [Text] = []
    /// Exact names that are not set.
    public private(set) var missing: [Text] = []

    public init(environment: [[UInt8]], patterns: [VariablePattern]) {
        var seen: Set<[UInt8]> = []
        for entry in environment where !patterns.isEmpty {
            guard let separator = entry.dropFirst().firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = Array(entry[..<separator])
            let matching = patterns.filter { $0.matches(name) }
            guard !matching.isEmpty, seen.insert(name).inserted else { continue }
            let isNamedExactly = matching.contains(where: \.isExact)
            record(name, Array(entry[(separator + 1)...]), isNamedExactly: isNamedExactly)
        }
        withheld.sort()
        missing = patterns.compactMap(\.exactName).filter { !seen.contains($0) }.map { Text(repairing: $0) }
    }

    private mutating func record(_ name: [UInt8], _ value: [UInt8], isNamedExactly: Bool) {
        guard let text = Text(validating: name) else { return withheld.append(Text(repairing: name)) }
        if SecretNames.looksSecret(name: name) {
            guard isNamedExactly else { return withheld.append(text) }
            recordedSecrets.append(text)
            values.append((text, value))
            return
        }
        // Whoever names `HTTP_PROXY`, even exactly, does not ask for the password in it.
        guard !SecretNames.looksSecret(value: value) else { return withheld.append(text) }
        values.append((text, value))
    }

    /// What is recorded of the value called `name`: without `masks`, unless it is a secret that somebody asked for.
    func recorded(_ value: [UInt8], of name: Text, masks: MaskList) -> [UInt8] {
        recordedSecrets.contains(name) ? value : masks.masked(value)
    }
}
