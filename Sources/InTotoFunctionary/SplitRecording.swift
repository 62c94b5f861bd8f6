public import FoundationEssentials
public import InTotoArtifacts
public import InTotoMetadata

/// A step recorded in two halves: what `StepRunner` knew before the products, and the products later.
///
/// The first half becomes a link as a whole step does, so that nothing is recorded in two ways.
extension UnfinishedRecord {
    /// `directory` is where the paths of `request` lead from, absolute.
    public init(
        _ step: RecordedStep, of request: StepRequest, formats: [EvidenceFormat], directory: [UInt8], begun: Date,
        builder: LinkBuilder
    ) {
        self.init(
            link: builder.link(of: step), directory: directory, products: request.products.map(\.source),
            changedOnly: request.recordsChangedProductsOnly, snapshot: request.snapshot.json,
            formats: formats.map { Text($0.rawValue) }, begun: Text(begun.formatted(.iso8601)))
    }

    /// Adds the second half; what the command made is looked at now.
    ///
    /// Throws where something cannot be recorded; the record is as it was then.
    public func completed(
        with references: [ArtifactReference], options: SnapshotOptions,
        report: @escaping @Sendable (SnapshotEvent) -> Void = { _ in }
    ) throws(SnapshotError) -> CompletedRecord {
        let after = try Snapshot.take(of: references, options: options, report: report)
        var link = link
        link.products = changedOnly ? after.artifacts.changed(since: link.materials) : after.artifacts
        link.environment.add(linkTexts: after.linkTexts)
        link.environment.add(notRecorded: after.notRecorded)
        return CompletedRecord(link: link, notRecorded: after.notRecorded)
    }

    /// The options of the first half; throws where another version wrote them.
    public func snapshotOptions() throws(MetadataError) -> SnapshotOptions {
        guard let options = SnapshotOptions(json: snapshot) else {
            throw .badValue("snapshot", in: "the unfinished record", reason: "is not what this version writes")
        }
        return options
    }

    /// The envelope, signed by everybody who is to complete the step.
    public func signed(by signers: [any Signer]) throws -> [UInt8] {
        let envelope = try EvidenceFormat.envelope(try payload(), signers, type: Self.payloadType)
        return try JSONWriter.bytes(.compact) { envelope.write(to: &$0) } + [UInt8(ascii: "\n")]
    }
}

/// A step whose halves are together.
public struct CompletedRecord: Sendable {
    public var link: Link
    /// What the second half met and did not record.
    public var notRecorded: [NotRecorded]
}

extension JSONObject {
    /// Adds to the artifacts whose digest is that of a symbolic link's text; sorted, each once.
    mutating func add(linkTexts: [ArtifactName]) {
        guard !linkTexts.isEmpty else { return }
        var names = Set(linkTexts.map(\.text))
        for case .string(let name) in elements(of: "link-texts") { names.insert(name) }
        self["link-texts"] = .array(names.sorted().map(JSONValue.string))
    }

    /// Adds to the paths that were met and are no artifacts; each once.
    mutating func add(notRecorded: [NotRecorded]) {
        guard !notRecorded.isEmpty else { return }
        let added = notRecorded.map { entry -> JSONValue in
            var object: JSONObject = ["reason": .string(Text(entry.reason.description))]
            object.record(bytes: entry.path, as: "path")
            return .object(object)
        }
        let known = elements(of: "not-recorded")
        let isKnown = Set(known)
        self["not-recorded"] = .array(known + added.filter { !isKnown.contains($0) })
    }

    private func elements(of name: Text) -> [JSONValue] {
        if case .array(let elements)? = self[name] { elements } else { [] }
    }
}
