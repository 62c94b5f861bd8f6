internal import InTotoCrypto
internal import InTotoMetadata

/// Whom certificates speak of, so that somebody with two certificates is one functionary, not two.
public struct CertifiedIdentity: Hashable, Sendable {
    private enum Alternative: Hashable {
        case uri(Text)
        case email(Text)
    }

    /// Everything else that a certificate calls its subject.
    private struct Subject: Hashable {
        let commonNames: [Text]
        let organizations: [Text]
        /// Where there is no common name.
        let dnsNames: [Text]

        var shown: String { (commonNames + organizations + dnsNames).map(\.escaped).joined(separator: " ") }
    }

    private var alternatives: Set<Alternative>
    private var subjects: Set<Subject>
    /// Those of certificates that have no alternative name: there the subject alone says who it is.
    private var bareSubjects: Set<Subject>
    /// Labels of the layout's roots that the certificates lead to.
    private var roots: Set<Text>

    init(_ subject: CertificateSubject, roots: Set<Text>) {
        alternatives = Set(subject.uris.map(Alternative.uri) + subject.emails.map(Alternative.email))
        subjects = [
            Subject(
                commonNames: subject.commonNames.sorted(), organizations: subject.organizations.sorted(),
                dnsNames: subject.commonNames.isEmpty ? subject.dnsNames.sorted() : [])
        ]
        bareSubjects = alternatives.isEmpty ? subjects : []
        self.roots = roots
    }

    /// Two certificates of one key.
    mutating func add(_ other: CertifiedIdentity) {
        alternatives.formUnion(other.alternatives)
        subjects.formUnion(other.subjects)
        bareSubjects.formUnion(other.bareSubjects)
        roots.formUnion(other.roots)
    }

    /// One authority has given both one of their names: a URI or an e-mail address, or, where one of the two has none, the
    /// subject's.
    func isSame(as other: CertifiedIdentity) -> Bool {
        let shareName =
            !alternatives.isDisjoint(with: other.alternatives) || !bareSubjects.isDisjoint(with: other.subjects)
            || !subjects.isDisjoint(with: other.bareSubjects)
        return shareName && !roots.isDisjoint(with: other.roots)
    }
}

extension CertifiedIdentity: CustomStringConvertible {
    /// Safe to print.
    public var description: String {
        let names = alternatives.map { name in
            switch name {
            case .uri(let text), .email(let text): text.escaped
            }
        }
        return (names + bareSubjects.map(\.shown)).sorted().joined(separator: ", ")
    }
}
