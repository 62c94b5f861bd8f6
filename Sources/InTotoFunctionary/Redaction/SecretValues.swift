internal import InTotoMetadata

/// What is masked in recorded streams and arguments: the values of secret variables, in all their spellings.
public struct SecretValues: Sendable {
    /// None shorter than four bytes.
    let forms: SecretForms
    /// None where there are no secrets.
    let patterns: [PatternSet]

    public static let none = SecretValues(forms: SecretForms())

    /// The secrets among `NAME=value` entries: of variables that look secret by name, parts of others that look secret by
    /// themselves, and whatever `redacting` names.
    ///
    /// Of variables that only look secret, values of less than six bytes are left alone: they would tear texts to
    /// pieces (`AUTH=true`). Where somebody asked for a variable, four bytes are enough.
    public init(environment: [[UInt8]], redacting patterns: [VariablePattern] = []) {
        var forms = SecretForms()
        for entry in environment {
            guard let separator = entry.dropFirst().firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = Array(entry[..<separator])
            let value = Array(entry[(separator + 1)...])
            let parts = SecretShapes.parts(of: value)
            for part in parts + parts.map(SecretForms.percentDecoded) {
                forms.formUnion(SecretForms.all(of: part, minimum: Self.shortestGuessed))
            }
            if patterns.contains(where: { $0.matches(name) }) {
                forms.formUnion(SecretForms.all(of: value, minimum: Self.shortestNamed))
            } else if SecretNames.looksSecret(name: name) {
                forms.formUnion(SecretForms.all(of: value, minimum: Self.shortestGuessed))
            }
        }
        self.init(forms: forms)
    }

    private init(forms: SecretForms) {
        self.forms = forms
        patterns = forms.patterns
    }

    public var isEmpty: Bool { forms.isEmpty }

    /// Least length in bytes of a value that somebody named or announced, and of one that only looks secret.
    static let shortestNamed = 4
    static let shortestGuessed = 6
}
