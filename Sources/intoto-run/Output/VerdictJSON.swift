import InTotoCrypto
import InTotoMetadata
import InTotoVerification

/// A verdict for programs. The schema stands in the documentation, "Verification"; members are added, never changed.
struct VerdictJSON {
    private let verdict: Verdict

    private let isTimeGiven: Bool

    init(_ verdict: Verdict, isTimeGiven: Bool) {
        self.verdict = verdict
        self.isTimeGiven = isTimeGiven
    }

    var object: JSONObject {
        [
            "checkedAt": .string(Text(verdict.checkedAt.description)),
            "inspections": .array(verdict.inspections.map(Self.inspection)),
            "layout": Self.layout(verdict.layout),
            "problems": .array(verdict.problems.map(Self.problem)),
            "schema": "intoto-run verdict 1", "timeGiven": .bool(isTimeGiven),
            "verdict": .string(Text(verdict.outcome.rawValue)),
            "verifier": ["name": "intoto-run", "version": .string(Text(IntotoRun.version))],
            "warnings": .array(verdict.warnings.map { .string(Text($0.description)) }),
        ]
    }

    private static func problem(_ problem: VerificationProblem) -> JSONValue {
        var object: JSONObject = ["code": .string(Text(problem.code)), "message": .string(Text(problem.description))]
        if let hint = problem.hint { object["hint"] = .string(Text(hint)) }
        return .object(object)
    }

    private static func layout(_ report: LayoutReport) -> JSONValue {
        var object: JSONObject = [
            "attestations": .array(report.attestations.map(attestation)),
            "otherEvidence": .array(report.otherEvidence.first.map(evidence)),
            "otherEvidenceCount": .integer(Int64(report.otherEvidence.count)),
            "otherStatements": .integer(Int64(report.otherStatements)), "path": .string(Text(report.path)),
            "sha256": .string(report.sha256), "signedBy": .array(report.signedBy.map { .string($0.label.text) }),
            "steps": .array(report.steps.map(step)),
        ]
        if let layout = report.layout { object["expires"] = .string(Text(layout.expires.description)) }
        return .object(object)
    }

    private static func attestation(_ report: AttestationReport) -> JSONValue {
        [
            "evidence": .array(report.evidence.map(evidence)), "holds": .bool(report.problem == nil),
            "requirement": .string(Text(report.requirement.description)),
        ]
    }

    private static func step(_ report: StepReport) -> JSONValue {
        var object: JSONObject = [
            "command": texts(report.command ?? []), "evidence": .array(report.evidence.map(evidence)),
            "expectedCommand": texts(report.step.expectedCommand),
            "keys": .array(report.listed.map { .string($0.label.text) }), "name": .string(report.step.name.text),
            "problems": .array(report.problems.map(problem)), "threshold": .integer(Int64(report.step.threshold)),
        ]
        if !report.sublayouts.isEmpty { object["sublayouts"] = .array(report.sublayouts.map(layout)) }
        if let materials = report.materials { object["materials"] = trace(materials) }
        if let products = report.products { object["products"] = trace(products) }
        return .object(object)
    }

    private static func evidence(_ report: EvidenceFinding) -> JSONValue {
        var object: JSONObject = [
            "path": .string(Text(report.reference.path)), "sha256": .string(report.reference.sha256),
        ]
        if let envelope = report.reference.envelope { object["envelope"] = .integer(Int64(envelope)) }
        switch report.standing {
        case .counted(let functionary):
            object["standing"] = "counted"
            add(functionary, report.cosigners, to: &object)
        case .additional(let functionary):
            object["standing"] = "additional"
            object["isCopy"] = .bool(report.isCopy)
            add(functionary, report.cosigners, to: &object)
        case .rejected(let reason):
            object["standing"] = "rejected"
            object["reason"] = .string(Text(reason.description))
        }
        return .object(object)
    }

    private static func add(_ functionary: Functionary, _ cosigners: [Functionary], to object: inout JSONObject) {
        func add(_ functionary: Functionary, to object: inout JSONObject) {
            object["functionary"] = .string(functionary.label.text)
            if let identity = functionary.identity { object["identity"] = .string(Text(identity.description)) }
        }
        add(functionary, to: &object)
        object["cosigners"] = .array(
            cosigners.map {
                var cosigner = JSONObject()
                add($0, to: &cosigner)
                return .object(cosigner)
            })
    }

    private static func inspection(_ report: InspectionReport) -> JSONValue {
        var object: JSONObject = [
            "command": texts(report.inspection.command), "hasRun": .bool(report.hasRun),
            "name": .string(report.inspection.name.text), "problems": .array(report.problems.map(problem)),
        ]
        if !report.notRecorded.isEmpty {
            object["notRecorded"] = .array(
                report.notRecorded.map { ["path": .string(Text($0.path)), "reason": .string(Text($0.reason))] })
        }
        if report.hasRun {
            object["hidden"] = .array(
                report.hidden.map { ["paths": .integer(Int64($0.paths)), "pattern": .string(Text($0.pattern))] })
        }
        if let step = report.sublayoutPath.last {
            object["sublayoutOf"] = .string(step.text)
            object["sublayoutPath"] = .array(report.sublayoutPath.map { .string($0.text) })
        }
        if let value = report.link?.byproducts["return-value"] { object["returnValue"] = value }
        if let materials = report.materials { object["materials"] = trace(materials) }
        if let products = report.products { object["products"] = trace(products) }
        return .object(object)
    }

    private static func trace(_ trace: RuleTrace) -> JSONValue {
        var rules = trace.entries.map { entry -> JSONValue in
            var rule: JSONObject = [
                "consumed": names(entry.consumed), "holds": true, "rule": texts(entry.rule.words),
            ]
            if let written = written(entry.consumed) { rule["written"] = written }
            if let missing = entry.missingSource { rule["missingSource"] = .string(Text(missing.rawValue)) }
            return .object(rule)
        }
        var object = JSONObject()
        if let failure = trace.failure {
            rules.append([
                "artifacts": .array(failure.artifacts.map(artifact)), "count": .integer(Int64(failure.count)),
                "holds": false, "rule": texts(failure.rule.words),
            ])
        }
        object["holds"] = .bool(trace.failure == nil)
        object["rules"] = .array(rules)
        object["unconsumed"] = names(trace.rest)
        if let written = written(trace.rest) { object["written"] = written }
        return .object(object)
    }

    private static func artifact(_ artifact: ExplainedArtifact) -> JSONValue {
        var object: JSONObject = [
            "name": .string(artifact.name.text),
            "nearMisses": .array(artifact.nearMisses.map { .string(Text($0.description)) }),
        ]
        if let original = artifact.original { object["written"] = .string(original.text) }
        return .object(object)
    }

    private static func names(_ selection: ArtifactSelection) -> JSONValue {
        .array(selection.map { .string($0.text) })
    }

    /// Those of the names that their link spells otherwise; nil for none.
    private static func written(_ selection: ArtifactSelection) -> JSONValue? {
        let others: [JSONValue] = selection.indices.compactMap { index in
            selection.original(at: index).map {
                ["name": .string(selection[index].text), "written": .string($0.text)]
            }
        }
        return others.isEmpty ? nil : .array(others)
    }

    private static func texts(_ texts: [Text]) -> JSONValue { .array(texts.map { .string($0) }) }
}
