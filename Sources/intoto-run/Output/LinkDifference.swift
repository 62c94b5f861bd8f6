import ArgumentParser
import InTotoArtifacts
import InTotoMetadata

/// How two links differ, for `diff`.
struct LinkDifference {
    enum Part: String, CaseIterable {
        case materials, products, command, environment
    }

    enum Verdict: String {
        case same, differs
        /// What could be compared is the same, and something could not.
        case unknown

        var exitStatus: Int32 {
            switch self {
            case .same: ExitStatus.success
            case .differs: ExitStatus.no
            case .unknown: ExitStatus.couldNotTell
            }
        }
    }

    /// A member of the environment, or a word of the command; nil where one side has none.
    struct Change {
        let name: Text
        let first: JSONValue?
        let second: JSONValue?
    }

    private let parts: [Part]
    private let links: (Link, Link)
    private let materials: ArtifactDifference
    private let products: ArtifactDifference
    private let environment: [Change]

    init(_ first: Link, _ second: Link, parts: [Part]) {
        links = (first, second)
        self.parts = Part.allCases.filter(parts.contains)
        materials = ArtifactDifference(first.materials, second.materials)
        products = ArtifactDifference(first.products, second.products)
        var names = first.environment.members.map(\.name)
        names += second.environment.members.map(\.name).filter { first.environment[$0] == nil }
        environment = names.sorted().compactMap { name in
            let (a, b) = (first.environment[name], second.environment[name])
            return a == b ? nil : Change(name: name, first: a, second: b)
        }
    }

    var verdict: Verdict {
        let verdicts = parts.map(verdict)
        return verdicts.contains(.differs) ? .differs : verdicts.contains(.unknown) ? .unknown : .same
    }

    private func verdict(on part: Part) -> Verdict {
        switch part {
        case .materials: materials.verdict
        case .products: products.verdict
        case .command: links.0.command == links.1.command ? .same : .differs
        case .environment: environment.isEmpty ? .same : .differs
        }
    }

    // MARK: For people

    /// One line for each part, and below it one for each difference; the verdict last.
    var lines: [String] {
        parts.flatMap(lines) + ["verdict: \(verdict == .unknown ? "cannot tell" : verdict.rawValue)"]
    }

    private func lines(on part: Part) -> [String] {
        switch part {
        case .materials: Self.lines("materials", materials, links.0.materials.count)
        case .products: Self.lines("products", products, links.0.products.count)
        case .command:
            verdict(on: .command) == .same
                ? ["command: same"] : ["command: differs", "  A: \(shown(links.0))", "  B: \(shown(links.1))"]
        case .environment:
            environment.isEmpty
                ? ["environment: same"]
                : ["environment: \(environment.count) differ"]
                    + environment.flatMap { change in
                        [
                            "  \(change.name.escaped):", "    A: \(Self.shown(change.first))",
                            "    B: \(Self.shown(change.second))",
                        ]
                    }
        }
    }

    private static func lines(_ title: String, _ difference: ArtifactDifference, _ count: Int) -> [String] {
        guard !difference.isEmpty else { return ["\(title): same (\(count))"] }
        let number =
            difference.onlyInFirst.count + difference.onlyInSecond.count + difference.different.count
            + difference.incomparable.count
        return ["\(title): \(number) differ"] + difference.onlyInFirst.map { "  only in A: \($0)" }
            + difference.onlyInSecond.map { "  only in B: \($0)" }
            + difference.different.map { "  differs: \($0.name): A \($0.first.summary), B \($0.second.summary)" }
            + difference.incomparable.map {
                "  no common digest: \($0.name): A \($0.first.summary), B \($0.second.summary)"
            }
    }

    private func shown(_ link: Link) -> String {
        link.command.shellLine
    }

    private static func shown(_ value: JSONValue?) -> String { value?.line(limit: 400) ?? "none" }

    // MARK: For programs

    func json(signaturesChecked: Bool) -> JSONObject {
        var object: JSONObject = [:]
        for part in parts {
            object[Text(part.rawValue)] = .object(json(of: part))
        }
        object["signaturesChecked"] = .bool(signaturesChecked)
        object["verdict"] = .string(Text(verdict.rawValue))
        return object
    }

    private func json(of part: Part) -> JSONObject {
        var object: JSONObject = ["verdict": .string(Text(verdict(on: part).rawValue))]
        switch part {
        case .materials: materials.write(to: &object)
        case .products: products.write(to: &object)
        case .command:
            object["first"] = .array(links.0.command.map(JSONValue.string))
            object["second"] = .array(links.1.command.map(JSONValue.string))
        case .environment:
            object["different"] = .array(
                environment.map { change in
                    var entry: JSONObject = ["name": .string(change.name)]
                    entry["first"] = change.first
                    entry["second"] = change.second
                    return .object(entry)
                })
        }
        return object
    }
}

extension ArtifactDifference {
    var verdict: LinkDifference.Verdict {
        if isEmpty { return .same }
        return onlyInFirst.isEmpty && onlyInSecond.isEmpty && different.isEmpty ? .unknown : .differs
    }

    fileprivate func write(to object: inout JSONObject) {
        func names(_ names: [ArtifactName]) -> JSONValue { .array(names.map { .string($0.text) }) }
        func changes(_ changes: [Change]) -> JSONValue {
            .array(changes.map { ["name": .string($0.name.text), "first": $0.first.json, "second": $0.second.json] })
        }
        object["different"] = changes(different)
        object["incomparable"] = changes(incomparable)
        object["onlyInFirst"] = names(onlyInFirst)
        object["onlyInSecond"] = names(onlyInSecond)
    }
}
