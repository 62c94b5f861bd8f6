public import InTotoMetadata

/// A layout as a graph: its steps and inspections, and which takes artifacts from which.
public struct LayoutGraph: Sendable {
    /// A raw value is what the user types.
    public enum Language: String, CaseIterable, Sendable {
        case dot, mermaid
    }

    /// Rules that say the same of two nodes are one edge.
    private struct Edge: Hashable, Sendable {
        let match: ArtifactMatch
        let to: Text
    }

    private struct Node: Sendable {
        let name: Text
        let detail: String
        let isInspection: Bool
    }

    private let nodes: [Node]
    private let edges: [Edge]
    private let numbers: [Text: Int]

    public init(_ layout: Layout) {
        var nodes: [Node] = []
        var edges: [Edge] = []
        var seen: Set<Edge> = []
        func add(_ node: Node, _ rules: [ArtifactRule]) {
            nodes.append(node)
            for case .match(let match) in rules where match.step != node.name {
                let edge = Edge(match: match, to: node.name)
                if seen.insert(edge).inserted { edges.append(edge) }
            }
        }
        for step in layout.steps {
            let certificates = step.certificateConstraints.isEmpty ? "" : " or certificates"
            let detail = "\(step.threshold) of \(step.keyIDs.count)\(certificates)"
            add(
                Node(name: step.name.text, detail: detail, isInspection: false),
                step.expectedMaterials + step.expectedProducts)
        }
        for inspection in layout.inspections {
            add(
                Node(name: inspection.name.text, detail: "inspection", isInspection: true),
                inspection.expectedMaterials + inspection.expectedProducts)
        }
        self.nodes = nodes
        numbers = Dictionary(nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
        self.edges = edges
    }

    public func lines(in language: Language) -> [String] {
        switch language {
        case .dot:
            ["digraph layout {", "  rankdir=LR;"] + nodes.map(Self.dot) + edges.map(Self.dot) + ["}"]
        case .mermaid:
            ["flowchart LR"]
                + nodes.map { "  \(number($0.name))[\"\(Self.entities($0.name)) (\($0.detail))\"]" }
                + edges.map { edge in
                    let label = edge.match.label(Self.entities)
                    return "  \(number(edge.match.step)) -- \"\(label)\" --> \(number(edge.to))"
                }
        }
    }

    private static func dot(_ node: Node) -> String {
        let name = node.name.escaped
        let shape = node.isInspection ? "ellipse" : "box"
        return "  \(quoted(name)) [label=\(quoted("\(name) (\(node.detail))")), shape=\(shape)];"
    }

    private static func dot(_ edge: Edge) -> String {
        let label = quoted(edge.match.label(\.escaped))
        return "  \(quoted(edge.match.step.escaped)) -> \(quoted(edge.to.escaped)) [label=\(label)];"
    }

    private func number(_ name: Text) -> String { numbers[name].map { "n\($0)" } ?? "unknown" }

    private static func quoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }

    /// Mermaid has no escapes within quotes, but entities; it also reads labels as Markdown, and refuses to draw what is a
    /// list or a link there. What means nothing in either is left as it is.
    private static func entities(_ text: Text) -> String {
        var result = ""
        var previous: Unicode.Scalar?
        for scalar in text.escaped.unicodeScalars {
            result += isPlain(scalar, behind: previous) ? "\(scalar)" : "#\(scalar.value);"
            previous = scalar
        }
        return result
    }

    /// `previous`: nil at the beginning, where a blank or a dash begins a block. A dot behind a digit makes a list, one
    /// behind `www` a link.
    private static func isPlain(_ scalar: Unicode.Scalar, behind previous: Unicode.Scalar?) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "/", ",", "'": true
        case " ", "-": previous != nil
        case ".": previous.map { !("0"..."9").contains($0) && $0 != "w" && $0 != "W" } ?? true
        default: !scalar.isASCII
        }
    }
}

extension ArtifactMatch {
    /// What is matched; where in each of the two, and that it is materials, only where the rule says so.
    fileprivate func label(_ escaped: (Text) -> String) -> String {
        (kind == .materials ? "materials: " : "") + escaped(pattern.text)
            + (sourcePrefix.isEmpty ? "" : " IN \(escaped(sourcePrefix))")
            + (destinationPrefix.isEmpty ? "" : ", there IN \(escaped(destinationPrefix))")
    }
}
