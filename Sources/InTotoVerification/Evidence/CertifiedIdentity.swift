internal import InTotoCrypto
internal import InTotoMetadata

/// Whom certificates speak of, so that somebody with two certificates is one functionary, not two.
public struct CertifiedIdentity: Hashable, Sendable {
    private enum Alternative: Hashable {
        case uri(CaselessName)
        case email(CaselessName)
    }

    /// Everything else that a certificate calls its subject.
    private struct Subject: Hashable {
        let commonNames: Set<CaselessName>
        let organizations: Set<CaselessName>
        /// Where there is no common name.
        let dnsNames: Set<CaselessName>

        var shown: String {
            [commonNames, organizations, dnsNames].flatMap { $0.sorted { $0.text < $1.text } }
                .map(\.text.escaped).joined(separator: " ")
        }
    }

    private var alternatives: Set<Alternative>
    private var subjects: Set<Subject>
    /// Those of certificates that have no alternative name: there the subject alone says who it is.
    private var bareSubjects: Set<Subject>
    /// Labels of the layout's roots that the certificates lead to.
    private var roots: Set<Text>

    init(_ subject: CertificateSubject, roots: Set<Text>) {
        alternatives = Set(
            CaselessName.all(subject.uris).map(Alternative.uri)
                + CaselessName.all(subject.emails).map(Alternative.email))
        subjects = [
            Subject(
                commonNames: CaselessName.all(subject.commonNames),
                organizations: CaselessName.all(subject.organizations),
                dnsNames: subject.commonNames.isEmpty ? CaselessName.all(subject.dnsNames) : [])
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
            case .uri(let name), .email(let name): name.text.escaped
            }
        }
        return (names + bareSubjects.map(\.shown)).sorted().joined(separator: ", ")
    }
}

/// A name that the case of ASCII letters does not tell from another: whoever gets a certificate for `me@x.org` may get
/// one for `me@X.org`, too. Shown as it is written. Spec: RFC 5280, 7.
private struct CaselessName: Hashable {
    let text: Text
    private let folded: Text

    init(_ text: Text) {
        self.text = text
        folded = text.asciiLowercased
    }

    /// Of several spellings the first in byte order.
    static func all(_ texts: Set<Text>) -> Set<CaselessName> {
        texts.sorted().reduce(into: []) { $0.insert(CaselessName($1)) }
    }

    static func == (a: Self, b: Self) -> Bool { a.folded == b.folded }

    func hash(into hasher: inout Hasher) { hasher.combine(folded) }
}
