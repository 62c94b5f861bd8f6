public import FoundationEssentials
public import InTotoArtifacts
public import InTotoMetadata
internal import SystemPackage

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
            formats: formats.map { Text($0.rawValue) }, begun: Text(begun.formatted(.iso8601)),
            redacted: (builder.record?.redacted ?? []).map { Text(repairing: $0.source) })
    }

    /// Adds the second half; what the command made is looked at now.
    ///
    /// Throws where something cannot be recorded; the record is as it was then.
    public func completed(
        with references: [ArtifactReference], options: SnapshotOptions, _ record: CompletionRecord,
        report: @escaping @Sendable (SnapshotEvent) -> Void = { _ in }
    ) throws(SnapshotError) -> CompletedRecord {
        var options = options
        options.hiddenBefore = HiddenFiles(secondsSinceEpoch: UTCTime(begun)?.secondsSinceEpoch ?? 0)
        let observation = observation(options)
        let after = try Snapshot.take(of: references, options: options, report: report)
        var link = link
        var texts = link.environment.linkTexts
        let turned = Set(texts.materials).symmetricDifference(after.linkTexts)
        link.products =
            changedOnly ? after.artifacts.changed(since: link.materials, otherKind: turned) : after.artifacts
        texts.products = after.linkTexts.filter { link.products[$0] != nil }
        link.environment.linkTexts = texts
        link.environment.add(notRecorded: after.notRecorded, masks: record.masks)
        link.environment.add(excluded: after.excluded, as: "products", masks: record.masks)
        record.add(to: &link.environment)
        var completed = CompletedRecord(
            link: link, notRecorded: after.notRecorded, excluded: after.excluded, newlyHidden: after.newlyHidden)
        if let repository = observation?.result() { completed.add(repository, masks: record.masks) }
        return completed
    }

    /// Reads the repository beside the artifacts, where the first half has read it and nobody did since.
    private func observation(_ options: SnapshotOptions) -> GitObservation? {
        guard case .object(let git)? = link.environment["git"], git["not-recorded"] == nil else { return nil }
        // What a run has seen when its command had ended is not to be talked over.
        if case .object(let after)? = git["after"], after["not-recorded"] == nil { return nil }
        var reading = options.git
        reading.ownFiles = options.ownFiles
        return GitObservation(of: Array(options.base.string.utf8), reading)
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
        return try JSONWriter.lines(.compact) { envelope.write(to: &$0) }
    }
}

/// A step whose halves are together.
public struct CompletedRecord: Sendable {
    public var link: Link
    /// What the second half met and did not record.
    public var notRecorded: [NotRecorded]
    /// What patterns hid from the second half.
    public var excluded: [ExcludedPaths] = []
    /// As in `RecordedStep`.
    public var newlyHidden: [[UInt8]] = []
    /// Why the repository, which the first half has read, was not read again.
    public private(set) var repositoryFailure: GitError?

    /// Says what became of the repository, as `StepRunner` has it.
    fileprivate mutating func add(_ repository: Result<GitRepositoryState, GitError>, masks: MaskList) {
        guard case .object(var git)? = link.environment["git"] else { return }
        git["after"] = .object(RepositoryEvidence(masks: masks).json(of: repository, since: git))
        link.environment["git"] = .object(git)
        if case .failure(let error) = repository { repositoryFailure = error }
    }
}

/// The artifacts whose digest is that of a symbolic link's text; sorted.
struct LinkTexts {
    var materials: [ArtifactName] = []
    var products: [ArtifactName] = []
}

extension JSONObject {
    /// As `link-texts`, an object with `materials` and `products`, each an array of names where there are any.
    var linkTexts: LinkTexts {
        get {
            guard case .object(let object)? = self["link-texts"] else { return LinkTexts() }
            return LinkTexts(materials: object.names("materials"), products: object.names("products"))
        }
        set {
            var object = JSONObject()
            for (part, names) in [("materials" as Text, newValue.materials), ("products", newValue.products)]
            where !names.isEmpty { object[part] = .array(names.map { .string($0.text) }) }
            self["link-texts"] = object.members.isEmpty ? nil : .object(object)
        }
    }

    private func names(_ part: Text) -> [ArtifactName] {
        elements(of: part).compactMap { if case .string(let name) = $0 { ArtifactName(name) } else { nil } }
    }

    /// Adds to the paths that were met and are no artifacts; each once.
    mutating func add(notRecorded: [NotRecorded], masks: MaskList?) {
        let added = notRecorded.map { entry -> JSONValue in
            // It may name a pattern.
            let reason = Text(repairing: masks.masked(Array(entry.reason.description.utf8)))
            var object: JSONObject = ["reason": .string(reason)]
            object.record(bytes: masks.masked(entry.path), as: "path")
            return .object(object)
        }
        append(added, to: "not-recorded")
    }

    /// Says what patterns hid of one kind of artifacts: how much of them, and the first paths.
    mutating func add(excluded: [ExcludedPaths], as kind: Text, masks: MaskList?) {
        guard !excluded.isEmpty else { return }
        func masked(_ bytes: [UInt8]) -> JSONValue { JSONValue(bytes: masks.masked(bytes)) }
        var kinds = if case .object(let object)? = self["excluded"] { object } else { JSONObject() }
        kinds[kind] = .array(
            excluded.map { paths in
                [
                    "pattern": masked(paths.pattern.source), "paths": .integer(Int64(paths.count)),
                    "first": .array(paths.first.map(masked)),
                ]
            })
        self["excluded"] = .object(kinds)
    }
}
