internal import InTotoArtifacts
public import InTotoMetadata

/// How a CI system says of itself where and why a job runs: the variables that it documents, and no others.
///
/// A source is a template: `{NAME}` stands for a variable, and what holds one that is not set is no source. Of several
/// the first counts.
public struct CISystem: Sendable {
    /// What evidence calls it.
    public let name: Text
    /// Where one of these is set, and not to `false` or `0`, we are in a job of this system.
    let signs: [String]
    /// Members of `environment.ci` and their sources.
    let members: [(name: Text, sources: [String])]

    init(_ name: Text, when signs: String..., members: KeyValuePairs<Text, [String]>) {
        self.name = name
        self.signs = signs
        self.members = members.map { ($0, $1) }
    }

    /// The system whose job the process with this environment belongs to.
    public static func detect(in environment: [[UInt8]]) -> CISystem? {
        all.first { system in
            system.signs.contains { sign in
                guard let value = fill(sign, from: environment, { $0 }) else { return false }
                return !["false", "0"].contains(String(decoding: value, as: UTF8.self).lowercased())
            }
        }
    }

    /// What the system says of the job, fit to be published: addresses without credentials, no value that looks secret
    /// or is longer than 1 KiB, `masks` replaced.
    public func record(from environment: [[UInt8]], masks: MaskList) -> JSONObject {
        var object: JSONObject = ["system": .string(name)]
        for member in members {
            let filled = member.sources.lazy.compactMap { source in
                Self.fill(source, from: environment) {
                    Self.publishable($0, isAddress: member.name == "repository", masks)
                }
            }
            guard let text = filled.first.flatMap({ Text(validating: $0) }) else { continue }
            object[member.name] = .string(text)
        }
        return object
    }

    /// Every variable that is read for this system, in no particular order.
    public var variables: Set<String> {
        Set((signs + members.flatMap(\.sources)).flatMap { Self.parts($0).compactMap(\.variable) })
    }

    /// Longest value in bytes that is recorded.
    private static let longestValue = 1024

    /// Only an address may be one without a scheme: a job may well be called `test:unit@node18`.
    private static func publishable(_ value: [UInt8], isAddress: Bool, _ masks: MaskList) -> [UInt8]? {
        guard value.count <= longestValue, Text(validating: value) != nil else { return nil }
        let holdsAddress = isAddress || value.firstOccurrence(of: Array("://".utf8)) != nil
        let value = holdsAddress ? GitRemoteAddress.withoutCredentials(value) : value
        guard !SecretNames.looksSecret(value: value) else { return nil }
        return masks.masked(value)
    }

    // MARK: Templates

    private enum Part {
        case text(Substring)
        case name(Substring)

        var variable: String? {
            if case .name(let name) = self { return String(name) }
            return nil
        }
    }

    private static func parts(_ template: String) -> [Part] {
        var parts: [Part] = []
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            parts += [.text(rest[..<open]), .name(rest[rest.index(after: open)..<close])]
            rest = rest[rest.index(after: close)...]
        }
        return parts + [.text(rest)]
    }

    /// Nil where a variable is not set, empty, or refused by `publish`. Inside an address, spaces are encoded.
    private static func fill(
        _ template: String, from environment: [[UInt8]], _ publish: ([UInt8]) -> [UInt8]?
    ) -> [UInt8]? {
        var result: [UInt8] = []
        for part in parts(template) {
            switch part {
            case .text(let text): result += text.utf8
            case .name(let name):
                let prefix = Array("\(name)=".utf8)
                guard let entry = environment.first(where: { $0.starts(with: prefix) }), entry.count > prefix.count,
                    let value = publish(Array(entry[prefix.count...]))
                else { return nil }
                let isInAddress = result.firstOccurrence(of: Array("://".utf8)) != nil
                result += isInAddress ? value.flatMap { $0 == 0x20 ? Array("%20".utf8) : [$0] } : value
            }
        }
        return result
    }
}
