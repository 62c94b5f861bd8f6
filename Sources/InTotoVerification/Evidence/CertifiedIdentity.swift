internal import InTotoCrypto
internal import InTotoMetadata

/// Whom certificates speak of, so that somebody with two certificates is one functionary, not two.
public struct CertifiedIdentity: Hashable, Sendable {
    private enum Name: Hashable {
        case uri(Text)
        case email(Text)
        /// Where there is neither: everything else that the subject is called.
        case subject([Text], organizations: [Text], dnsNames: [Text])
    }

    private var names: Set<Name>
    /// Labels of the layout's roots that the certificates lead to.
    private var roots: Set<Text>

    init(_ subject: CertificateSubject, roots: Set<Text>) {
        let alternatives = subject.uris.map(Name.uri) + subject.emails.map(Name.email)
        let whole = Name.subject(
            subject.commonNames.sorted(), organizations: subject.organizations.sorted(),
            dnsNames: subject.commonNames.isEmpty ? subject.dnsNames.sorted() : [])
        names = alternatives.isEmpty ? [whole] : Set(alternatives)
        self.roots = roots
    }

    /// Two certificates of one key.
    mutating func add(_ other: CertifiedIdentity) {
        names.formUnion(other.names)
        roots.formUnion(other.roots)
    }

    /// One authority has given both one of their names.
    func isSame(as other: CertifiedIdentity) -> Bool {
        !names.isDisjoint(with: other.names) && !roots.isDisjoint(with: other.roots)
    }
}

extension CertifiedIdentity: CustomStringConvertible {
    /// Safe to print.
    public var description: String {
        let shown = names.map { name in
            switch name {
            case .uri(let text), .email(let text): text.escaped
            case .subject(let names, let organizations, let dnsNames):
                (names + organizations + dnsNames).map(\.escaped).joined(separator: " ")
            }
        }
        return shown.sorted().joined(separator: ", ")
    }
}
