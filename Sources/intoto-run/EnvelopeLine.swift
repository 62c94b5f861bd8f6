import InTotoMetadata
import InTotoStorage
import SystemPackage

/// One line of a bundle: an envelope as it was written, members that we do not know included.
struct EnvelopeLine {
    let bytes: [UInt8]
    let envelope: Envelope
    /// In its file it stands on more lines than one, and no line can follow.
    var spansLines = false

    /// The envelopes in a file, which is one envelope or a bundle; lines of a bundle that are none are counted.
    static func read(_ path: String) throws -> (lines: [EnvelopeLine], ignored: Int) {
        let bytes: [UInt8]
        do { bytes = try BoundedReader.contents(of: FilePath(path)) } catch { throw Failure.reading(path, error) }
        if let value = try? JSONReader.read(bytes) { return ([try whole(value, bytes, path)], 0) }
        var lines: [EnvelopeLine] = []
        var ignored = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"))
        where !line.allSatisfy({ [0x0D, 0x20, 0x09].contains($0) }) {
            let line = Array(line.last == 0x0D ? line.dropLast() : line)
            if case .envelope(let envelope)? = try? SignedMetadata(line) {
                lines.append(EnvelopeLine(bytes: line, envelope: envelope))
            } else {
                ignored += 1
            }
        }
        guard !lines.isEmpty else {
            throw Failure("\(Text(path).escaped): holds no envelope", hint: "a bundle has a DSSE envelope on each line")
        }
        return (lines, ignored)
    }

    /// Written on one line, since an envelope may have come over many.
    private static func whole(_ value: JSONValue, _ bytes: [UInt8], _ path: String) throws -> EnvelopeLine {
        do {
            guard case .envelope(let envelope) = try SignedMetadata(bytes) else {
                throw Failure(
                    "\(Text(path).escaped): is classic metadata, which stands in no bundle",
                    hint: "run with --format attestation or dsse-link writes envelopes")
            }
            let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
            let document = bytes[...end].drop { $0 != UInt8(ascii: "{") }
            return EnvelopeLine(
                bytes: try JSONWriter.bytes(.compact) { $0.value(value) }, envelope: envelope,
                spansLines: document.contains(UInt8(ascii: "\n")))
        } catch let error as MetadataError { throw Failure("\(Text(path).escaped): \(error)") }
    }

    /// What the envelope claims, in one line.
    var claim: String {
        let signers = envelope.signatures.map { $0.keyID.text.isEmpty ? "no key id" : $0.keyID.prefix8.escaped }
        return "\(subject), signed by \(signers.isEmpty ? "nobody" : signers.joined(separator: ", "))"
    }

    private var subject: String {
        switch try? SignedMetadata.envelope(envelope).payload() {
        case .link(let link)?: "link of step '\(link.name)'"
        case .layout?: "layout"
        case .statement(let statement)?:
            statement.predicateType.escaped + (Self.step(of: statement).map { " of step '\($0)'" } ?? "")
                + " about \(statement.subject.first.map(Self.name) ?? "nothing")"
                + (statement.subject.count > 1 ? " and \(statement.subject.count - 1) more" : "")
        case nil: "unknown content of type '\(envelope.payloadType.escaped)'"
        }
    }

    /// The step of a link; of what is none, or is not well formed, there is none.
    private static func step(of statement: Statement) -> StepName? {
        (try? Payload.statement(statement).link())?.name
    }

    private static func name(of subject: ResourceDescriptor) -> String {
        subject.name?.escaped ?? subject.uri?.escaped ?? subject.digest.summary
    }

    var json: JSONValue {
        var object: JSONObject = [
            "keyids": .array(envelope.signatures.map { .string($0.keyID.text) }),
            "payloadType": .string(envelope.payloadType),
        ]
        switch try? SignedMetadata.envelope(envelope).payload() {
        case .link(let link)?:
            object["kind"] = "link"
            object["step"] = .string(link.name.text)
        case .layout?: object["kind"] = "layout"
        case .statement(let statement)?:
            object["kind"] = "statement"
            object["predicateType"] = .string(statement.predicateType)
            object["step"] = Self.step(of: statement).map { .string($0.text) }
            object["subject"] = .array(
                statement.subject.map { subject in
                    var entry: JSONObject = ["digest": subject.digest.json]
                    entry["name"] = subject.name.map(JSONValue.string)
                    entry["uri"] = subject.uri.map(JSONValue.string)
                    return .object(entry)
                })
        case nil: object["kind"] = "unknown"
        }
        return .object(object)
    }
}
