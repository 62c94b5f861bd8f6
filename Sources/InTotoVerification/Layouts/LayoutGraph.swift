public import InTotoMetadata

/// A layout as a graph: its steps and inspections, and which takes artifacts from which.
public struct LayoutGraph: Sendable {
    /// A raw value is what the user types.
    public enum Language: String, CaseIterable, Sendable {
        case dot, mermaid
    }

    private struct Edge: Hashable, Sendable {
        let from: Text
        let to: Text
        let label: String
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
                let edge = Edge(from: match.step, to: node.name, label: match.pattern.text.escaped)
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
                + nodes.map { "  \(number($0.name))[\(Self.entity("\($0.name.escaped) (\($0.detail))"))]" }
                + edges.map { "  \(number($0.from)) -- \(Self.entity($0.label)) --> \(number($0.to))" }
        }
    }

    private static func dot(_ node: Node) -> String {
        let name = node.name.escaped
        let shape = node.isInspection ? "ellipse" : "box"
        return "  \(quoted(name)) [label=\(quoted("\(name) (\(node.detail))")), shape=\(shape)];"
    }

    private static func dot(_ edge: Edge) -> String {
        "  \(quoted(edge.from.escaped)) -> \(quoted(edge.to.escaped)) [label=\(quoted(edge.label))];"
    }

    private func number(_ name: Text) -> String { numbers[name].map { "n\($0)" } ?? "unknown" }

    private static func quoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }

    /// Mermaid has no escapes within quotes, but entities.
    private static func entity(_ text: String) -> String {
        "\""
            + text.unicodeScalars.map { $0 == "\"" || $0 == "#" || $0 == "<" || $0 == ";" ? "#\($0.value);" : "\($0)" }
            .joined() + "\""
    }
}
