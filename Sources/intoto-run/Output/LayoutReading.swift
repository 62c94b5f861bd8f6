import InTotoCrypto
import InTotoMetadata

/// A layout for people: everything in it that decides, in its order.
struct LayoutReading {
    private let layout: Layout

    init(_ layout: Layout) { self.layout = layout }

    var lines: [String] {
        var head = "layout, expires \(layout.expires), \(layout.keys.count) keys"
        if !layout.roots.isEmpty { head += ", \(layout.roots.count == 1 ? "1 root" : "\(layout.roots.count) roots")" }
        var lines = [head]
        for step in layout.steps {
            lines.append("step '\(step.name)': threshold \(step.threshold) of \(Self.functionaries(step))")
            lines += step.certificateConstraints.map { "  certificates: \(Self.shown($0))" }
            if !step.expectedCommand.isEmpty { lines.append("  command: \(step.expectedCommand.shellLine)") }
            lines += Self.rules("materials", step.expectedMaterials) + Self.rules("products", step.expectedProducts)
        }
        for inspection in layout.inspections {
            lines.append("inspection '\(inspection.name)': \(inspection.command.shellLine)")
            lines += Self.rules("materials", inspection.expectedMaterials)
            lines += Self.rules("products", inspection.expectedProducts)
        }
        return lines
    }

    private static func functionaries(_ step: Step) -> String {
        let keys = step.keyIDs.map { "\($0.prefix8)" }
        let all = keys + (step.certificateConstraints.isEmpty ? [] : ["certificates"])
        return all.isEmpty ? "nobody" : all.joined(separator: ", ")
    }

    /// What a certificate has to say; what may be anything is left out.
    private static func shown(_ constraint: CertificateConstraint) -> String {
        let attributes: [(String, CertificateConstraint.Values)] = [
            ("common name", constraint.commonName), ("DNS names", constraint.dnsNames),
            ("email addresses", constraint.emails), ("organizations", constraint.organizations),
            ("URIs", constraint.uris), ("roots", constraint.roots),
        ]
        let demands = attributes.compactMap { name, values -> String? in
            switch values {
            case .anything: nil
            case .exactly([]): "\(name) none"
            case .exactly(let texts): "\(name) \(texts.sorted().map { "'\($0.escaped)'" }.joined(separator: " "))"
            }
        }
        return demands.isEmpty ? "of anybody under any root" : demands.joined(separator: ", ")
    }

    private static func rules(_ kind: String, _ rules: [ArtifactRule]) -> [String] {
        ["  \(kind):"] + rules.map { "    \($0)" }
    }
}
