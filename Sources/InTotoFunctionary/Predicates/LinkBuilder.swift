internal import FoundationEssentials
internal import InTotoArtifacts
public import InTotoMetadata

/// Makes the link of a recorded step. Spec: in-toto v1.0, 4.4; in-toto attestation predicate `link`, v0.3.
public struct LinkBuilder: Sendable {
    /// Name and version of the tool, for `environment`.
    private let tool: JSONObject
    /// Operating system and architecture, for `environment`.
    private let platform: JSONValue
    /// Further members of `environment`.
    public var record: EnvironmentRecord?

    public init(toolVersion: Text, operatingSystem: Text, architecture: Text) {
        tool = ["name": "intoto-run", "version": .string(toolVersion)]
        platform = ["os": .string(operatingSystem), "architecture": .string(architecture)]
    }

    public func link(of step: RecordedStep) -> Link {
        Link(
            name: step.name,
            command: (step.execution?.arguments ?? []).map { Text(repairing: $0) },
            materials: step.materials,
            products: step.products,
            byproducts: step.execution.map(byproducts) ?? JSONObject(),
            environment: environment(of: step)
        )
    }

    private func byproducts(_ execution: RecordedExecution) -> JSONObject {
        var byproducts = JSONObject()
        byproducts["return-value"] = .integer(Int64(execution.result.termination.returnValue))
        byproducts["started"] = .string(Text(execution.started.formatted(.iso8601)))
        byproducts["finished"] = .string(Text(execution.finished.formatted(.iso8601)))
        byproducts["resources"] = resources(execution)
        if execution.result.hasTimedOut { byproducts["timed-out"] = true }
        if !execution.result.background.isEmpty {
            byproducts["background-processes"] = .array(
                execution.result.background.map { process in
                    var object: JSONObject = ["pid": .integer(Int64(process.processID))]
                    object.record(bytes: process.name, as: "name")
                    return .object(object)
                })
        }
        if let output = execution.result.output { byproducts.record(output, as: "stdout") }
        if let errors = execution.result.errors { byproducts.record(errors, as: "stderr") }
        return byproducts
    }

    private func resources(_ execution: RecordedExecution) -> JSONValue {
        let usage = execution.result.usage
        var resources: JSONObject = [
            "user-ms": .integer(usage.userMilliseconds),
            "system-ms": .integer(usage.systemMilliseconds),
            "wall-ms": .integer(execution.elapsed.milliseconds),
        ]
        switch usage.peakMemory {
        case .kibibytes(let size): resources["peak-memory-kib"] = .integer(size)
        case .atMostKibibytes(let size): resources["peak-memory-at-most-kib"] = .integer(size)
        }
        return .object(resources)
    }

    private func environment(of step: RecordedStep) -> JSONObject {
        var environment: JSONObject = ["platform": platform]
        environment.record(bytes: (record?.masks).masked(step.workDirectory), as: "workdir")
        let arguments = step.execution?.arguments ?? []
        if !arguments.allSatisfy({ Text(validating: $0) != nil }) {
            environment["command-base64"] = .array(arguments.map { .string(Base64.encode($0)) })
        }
        environment["tool"] = tool(step.tool)
        record?.write(to: &environment)
        if let git = step.git {
            environment["git"] = .object(RepositoryEvidence(masks: record?.masks).json(of: git))
        }
        if let reused = step.reusedDigests { environment["reused-digests"] = .integer(Int64(reused)) }
        if let execution = step.execution {
            environment["executables"] = .array(execution.executables.map(\.json))
            if execution.argumentRedactions > 0 {
                environment["command-redacted"] = .integer(Int64(execution.argumentRedactions))
            }
        }
        environment.linkTexts = LinkTexts(materials: step.materialLinkTexts, products: step.productLinkTexts)
        environment.add(notRecorded: step.notRecorded, masks: record?.masks)
        environment.add(excluded: step.excludedMaterials, as: "materials", masks: record?.masks)
        environment.add(excluded: step.excludedProducts, as: "products", masks: record?.masks)
        return environment
    }

    private func tool(_ identity: ToolIdentity) -> JSONValue {
        var tool = tool
        if let buildID = identity.buildID { tool["build-id"] = .string(buildID) }
        if let sha256 = identity.sha256 { tool["sha256"] = .string(sha256) }
        return .object(tool)
    }
}

extension ExecutableIdentity {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object.record(bytes: path, as: "path")
        switch content {
        case .read(let size, let sha256):
            object["sha256"] = .string(sha256)
            object["size"] = .integer(Int64(size))
        case .unreadable(let reason): object["not-read"] = .string(Text(reason))
        }
        return .object(object)
    }
}

extension JSONObject {
    /// Bytes as text; where they are not UTF-8, invalid sequences become U+FFFD and the bytes stand beside it.
    mutating func record(bytes: [UInt8], as name: Text) {
        self[name] = .string(Text(repairing: bytes))
        guard Text(validating: bytes) == nil else { return }
        self[Text("\(name)-base64")] = .string(Base64.encode(bytes))
    }

    /// A stream as text, with length and SHA-256 of the whole of it. A cut is marked and falls between characters.
    fileprivate mutating func record(_ stream: RecordedStream, as name: Text) {
        if stream.omitted == 0 {
            record(bytes: stream.head + stream.tail, as: name)
        } else if !stream.head.isEmpty || !stream.tail.isEmpty {
            let mark = "\n[intoto-run: \(stream.omitted) bytes are not recorded]\n"
            self[name] = .string(Text(repairing: stream.head + Array(mark.utf8) + stream.tail))
            self[Text("\(name)-omitted")] = .integer(Int64(stream.omitted))
            self[Text("\(name)-head-length")] = .integer(Int64(stream.head.count))
            if Text(validating: stream.head) == nil || Text(validating: stream.tail) == nil {
                self[Text("\(name)-base64")] = .string(Base64.encode(stream.head + stream.tail))
            }
        }
        self[Text("\(name)-length")] = .integer(Int64(stream.length))
        self[Text("\(name)-sha256")] = .string(stream.sha256)
        if stream.redactions > 0 { self[Text("\(name)-redacted")] = .integer(Int64(stream.redactions)) }
    }
}
