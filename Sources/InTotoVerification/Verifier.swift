internal import InTotoCrypto
internal import InTotoMetadata
internal import InTotoStorage
internal import SystemPackage

/// Decides whether a product was made as its layout says. Spec: in-toto v1.0, 5.2.
///
/// Nothing that is not authenticated reaches a decision: containers are read within bounds, signatures are checked over
/// exact bytes, and only those bytes are decoded.
public struct Verifier {
    let request: VerificationRequest
    private let runner: InspectionRunner?
    private let budget: SignatureBudget
    private var sublayouts = 0
    private var pending: [PendingInspections] = []

    /// Without a runner, layouts with inspections are never passed.
    public init(_ request: VerificationRequest, inspections runner: InspectionRunner?) {
        self.request = request
        self.runner = runner
        budget = SignatureBudget(bytes: request.policy.totalEvidenceSize)
    }

    public mutating func verify() -> Verdict {
        let (report, summary) = rootLayout()
        var verdict = Verdict(outcome: .failed, checkedAt: request.now, layout: report)
        verdict.inspections = pending.flatMap(\.reports)
        let looked = report.attestations.map(\.requirement)
        verdict.attestationsNotReached = request.policy.attestations.filter { !looked.contains($0) }
        guard verdict.problems.isEmpty, summary != nil else { return verdict }
        if pending.contains(where: { !$0.mayRun }) {
            verdict.outcome = .incomplete
            return verdict
        }
        verdict.inspections = runInspections(beside: report.evidenceFiles)
        if verdict.problems.isEmpty { verdict.outcome = .passed }
        return verdict
    }

    // MARK: The layout. Spec: 5.2, steps 1 to 3

    private mutating func rootLayout() -> (LayoutReport, Summary?) {
        let sha256: Text
        do { sha256 = try EvidencePool.sha256(request.layout) } catch {
            return (LayoutReport(path: request.layoutPath, sha256: "", problems: [.crypto(error)]), nil)
        }
        var report = LayoutReport(path: request.layoutPath, sha256: sha256)
        do throws(VerificationProblem) {
            if let expected = request.policy.layoutDigest, expected != sha256 {
                throw .otherLayout(expected: expected, found: sha256)
            }
            var layout = try authenticatedLayout()
            report.signedBy = layout.signedBy.map { Functionary(label: $0.keyID(.python), key: $0) }
            report.layout = layout.payload
            if let parameters = request.parameters {
                try checkExpiry(of: layout.payload)
                layout = try substituted(layout, parameters)
            }
            return try verify(
                layout, report, EvidencePool(request.evidence, request.policy.limits, budget), [])
        } catch {
            report.problems.append(error)
            return (report, nil)
        }
    }

    /// Every one of the owner's keys must have signed.
    private func authenticatedLayout() throws(VerificationProblem) -> Authenticated<Layout> {
        var limits = JSONLimits()
        limits.size = VerificationRequest.layoutLimit
        let metadata: SignedMetadata
        do { metadata = try SignedMetadata(request.layout, limits: limits) } catch {
            throw isWrittenLayout ? .writtenLayout(error) : .malformedLayout(error)
        }
        let payload: Authenticated<Payload>
        do {
            payload = try metadata.authenticated(by: request.ownerKeys, threshold: request.ownerKeys.count)
        } catch {
            if case .metadata(let error) = error { throw .malformedLayout(error) }
            throw .layoutNotSigned(error, missing: missing(error))
        }
        do { return try payload.layout() } catch { throw .malformedLayout(error) }
    }

    /// Those of the owner's keys that have not signed.
    private func missing(_ error: AuthenticationError) -> [PublicKey] {
        guard case .notEnoughSignatures(_, let checks) = error else { return [] }
        let signers = checks.compactMap { if case .valid(let key) = $0.outcome { key } else { nil } }
        return request.ownerKeys.filter { !signers.contains($0) }
    }

    /// Whether the file is called YAML, or is plainly a text that is no JSON object; decides on a hint only.
    private var isWrittenLayout: Bool {
        [".yaml", ".yml"].contains { request.layoutPath.hasSuffix($0) }
            || request.layout.first { $0 > 0x20 } != UInt8(ascii: "{") && Text(validating: request.layout) != nil
    }

    /// Spec: 5.2, step 3; a layout is expired at the very instant that it names.
    private func checkExpiry(of layout: Layout) throws(VerificationProblem) {
        guard request.now >= Self.oldestSaneClock else { throw .clockNotSet(request.now) }
        guard request.now < layout.expires else { throw .expired(at: layout.expires, checkedAt: request.now) }
    }

    /// 2020-01-01: a machine that has not been told the time believes in 1970.
    private static let oldestSaneClock = UTCTime(secondsSinceEpoch: 1_577_836_800)

    private func substituted(
        _ layout: Authenticated<Layout>, _ parameters: ParameterSubstitution
    ) throws(VerificationProblem) -> Authenticated<Layout> {
        do { return try layout.map { layout throws(ParameterError) in try parameters.applied(to: layout) } } catch {
            throw .parameters(error)
        }
    }

    // MARK: Steps. Spec: 5.2, steps 4 to 6

    /// What a layout whose steps all hold stands for: as a sublayout, it takes the place of a link.
    struct Summary {
        let record: ArtifactRecord
        let command: [Text]
    }

    /// Verifies a layout that its owner's signature stands behind. `path`: the steps that led to it.
    private mutating func verify(
        _ authenticated: Authenticated<Layout>, _ report: LayoutReport, _ pool: EvidencePool, _ path: [StepName]
    ) throws(VerificationProblem) -> (LayoutReport, Summary?) {
        let layout = authenticated.payload
        var report = report
        report.layout = layout
        try checkExpiry(of: layout)
        guard !layout.steps.isEmpty || !layout.inspections.isEmpty else { throw .emptyLayout }
        let functionaries = Functionaries(layout, request.policy.keys)
        report.warnings = warnings(of: layout, functionaries, isRoot: path.isEmpty)

        var collector = StepCollector(layout, functionaries, pool, request, budget)
        var records: [Text: ArtifactRecord] = [:]
        var commands: [Text: [Text]] = [:]
        do throws(CryptoError) {
            try collector.sortBundles()
            for step in layout.steps {
                var (stepReport, accepted) = try collector.collect(step)
                if let evidence = reduce(step, accepted, &stepReport, path) {
                    records[step.name.text] = evidence.record
                    commands[step.name.text] = evidence.command
                }
                report.steps.append(stepReport)
            }
        } catch { throw .crypto(error) }
        report.products = layout.steps.last.flatMap { records[$0.name.text]?.products.set }
        report.otherEvidence = collector.otherEvidence
        report.signedFiles = collector.signedFiles
        report.otherStatements = collector.otherStatements
        guard report.allProblems.isEmpty else { return (report, nil) }
        applyRules(layout, records, &report)
        guard report.allProblems.isEmpty else { return (report, nil) }
        if path.isEmpty { requireAttestations(layout, functionaries, collector, records, &report) }
        guard report.allProblems.isEmpty else { return (report, nil) }
        if let refusal = sublayoutRefusal(of: layout, path) {
            report.problems.append(refusal)
            return (report, nil)
        }
        postponeInspections(of: layout, records, path)
        return (report, Self.summary(of: layout, records, commands))
    }

    /// One record for all links of a step: they agree, and sublayouts hold. Spec: 5.2, step 5; 4.5.
    private mutating func reduce(
        _ step: Step, _ accepted: [AcceptedEvidence], _ report: inout StepReport, _ path: [StepName]
    ) -> (record: ArtifactRecord, command: [Text])? {
        var reduced: [(reference: EvidenceReference, record: ArtifactRecord, command: [Text])] = []
        for evidence in accepted {
            switch evidence.content {
            case .link(let record, let command): reduced.append((evidence.reference, record, command))
            case .sublayout(let layout):
                do throws(VerificationProblem) {
                    guard let summary = try sublayout(layout, evidence, &report, path + [step.name]) else { continue }
                    reduced.append((evidence.reference, summary.record, summary.command))
                } catch { report.problems.append(error) }
            }
        }
        guard let first = reduced.first else { return nil }
        report.command = first.command
        guard report.everyProblem.isEmpty else { return nil }
        for piece in reduced { checkCommand(of: step, piece.command, piece.reference, &report) }
        var agreed = AgreedRecord(first.record)
        for other in reduced.dropFirst() {
            guard let (index, difference) = agreed.add(other.record) else { continue }
            report.problems.append(.disagreement(step.name, reduced[index].reference, other.reference, difference))
            return nil
        }
        return (agreed.merged, first.command)
    }

    /// Spec: 4.5, sublayouts.
    private mutating func sublayout(
        _ layout: Authenticated<Layout>, _ evidence: AcceptedEvidence, _ report: inout StepReport, _ path: [StepName]
    ) throws(VerificationProblem) -> Summary? {
        guard path.count <= VerificationPolicy.sublayoutDepth else {
            throw .sublayoutTooDeep(path[path.count - 1], limit: VerificationPolicy.sublayoutDepth)
        }
        sublayouts += 1
        guard sublayouts <= VerificationPolicy.sublayoutCount else {
            throw .tooManySublayouts(limit: VerificationPolicy.sublayoutCount)
        }
        guard let folder = evidence.sublayoutFolder else {
            throw .sublayoutFolder(path[path.count - 1], "it was found where no directory can stand beside it")
        }
        let places: [EvidencePlace]
        do { places = [.folder(try EvidenceFolder(folder, beneath: true))] } catch {
            throw .sublayoutFolder(path[path.count - 1], error.description)
        }
        let pool = EvidencePool(places, request.policy.limits, budget)
        var inner = LayoutReport(path: evidence.reference.description, sha256: evidence.reference.sha256)
        inner.signedBy = evidence.signers
        inner.layout = layout.payload
        do throws(VerificationProblem) {
            let (verified, summary) = try verify(layout, inner, pool, path)
            report.sublayouts.append(verified)
            return summary
        } catch {
            inner.problems.append(error)
            report.sublayouts.append(inner)
            return nil
        }
    }

    /// Of every piece of evidence: each is somebody who did the step.
    private func checkCommand(
        of step: Step, _ command: [Text], _ reference: EvidenceReference, _ report: inout StepReport
    ) {
        guard !step.expectedCommand.isEmpty, command != step.expectedCommand else { return }
        let expected = step.expectedCommand
        switch request.policy.commands {
        case .warns: report.warnings.append(.command(step.name, reference, expected: expected, found: command))
        case .fails: report.problems.append(.command(step.name, reference, expected: expected, found: command))
        }
    }

    /// Spec: 5.2, step 6; 4.3.3.
    private func applyRules(_ layout: Layout, _ records: [Text: ArtifactRecord], _ report: inout LayoutReport) {
        let evaluator = RuleEvaluator(records, inspections: Set(layout.inspections.map(\.name.text)))
        for index in layout.steps.indices {
            let step = layout.steps[index]
            guard let record = records[step.name.text] else { continue }
            let materials = evaluator.evaluate(step.expectedMaterials, on: record, .materials)
            let products = evaluator.evaluate(step.expectedProducts, on: record, .products)
            for trace in [materials, products] {
                report.steps[index].problems += trace.problems(of: step.name)
                report.steps[index].warnings += trace.warnings(of: step.name)
            }
            report.steps[index].materials = materials
            report.steps[index].products = products
        }
    }

    /// Not of the specification: what the user asks for beside the layout.
    private func requireAttestations(
        _ layout: Layout, _ functionaries: Functionaries, _ collector: StepCollector,
        _ records: [Text: ArtifactRecord], _ report: inout LayoutReport
    ) {
        let judge = AttestationJudge(
            functionaries: functionaries, statements: collector.requiredStatements,
            unbelieved: collector.otherEvidence.first)
        for requirement in request.policy.attestations {
            let step = layout.steps.first { $0.name == requirement.step }
            report.attestations.append(judge.report(on: requirement, step, records[requirement.step.text]))
        }
    }

    private static func summary(
        of layout: Layout, _ records: [Text: ArtifactRecord], _ commands: [Text: [Text]]
    ) -> Summary {
        let empty = ArtifactRecord.empty
        let first = layout.steps.first.flatMap { records[$0.name.text] } ?? empty
        let last = layout.steps.last.flatMap { records[$0.name.text] } ?? empty
        return Summary(
            record: ArtifactRecord(materials: first.materials, products: last.products),
            command: layout.steps.last.flatMap { commands[$0.name.text] } ?? [])
    }

    // MARK: Inspections. Spec: 5.2, steps 7 and 8

    /// Inspections wait until everything else holds: they are commands, and run on whatever was delivered.
    struct PendingInspections {
        let sublayoutPath: [StepName]
        let inspections: [Inspection]
        let records: [Text: ArtifactRecord]
        let mayRun: Bool

        var reports: [InspectionReport] {
            inspections.map { InspectionReport(inspection: $0, sublayoutPath: sublayoutPath) }
        }
    }

    /// A functionary's commands are run only where the user allows it.
    private func sublayoutRefusal(of layout: Layout, _ path: [StepName]) -> VerificationProblem? {
        guard let step = path.last, !layout.inspections.isEmpty, request.policy.inspections == .run,
            request.policy.sublayoutInspections == .skip
        else { return nil }
        return .sublayoutInspections(step, layout.inspections)
    }

    private mutating func postponeInspections(
        of layout: Layout, _ records: [Text: ArtifactRecord], _ path: [StepName]
    ) {
        guard !layout.inspections.isEmpty else { return }
        let policy = path.isEmpty ? request.policy.inspections : request.policy.sublayoutInspections
        let mayRun = runner != nil && request.policy.inspections == .run && policy == .run
        pending.append(
            PendingInspections(
                sublayoutPath: path, inspections: layout.inspections, records: records, mayRun: mayRun))
    }

    private func runInspections(beside evidence: Set<FilePath>) -> [InspectionReport] {
        guard let runner, !pending.isEmpty else { return [] }
        runner.announce(pending.flatMap(\.reports))
        var reports: [InspectionReport] = []
        for group in pending {
            var records = group.records
            for var report in group.reports {
                // After a failure nothing more of a stranger's is run.
                if reports.allSatisfy({ $0.problems.isEmpty }) { run(&report, of: group, &records, runner, evidence) }
                reports.append(report)
            }
        }
        return reports
    }

    private func run(
        _ report: inout InspectionReport, of group: PendingInspections, _ records: inout [Text: ArtifactRecord],
        _ runner: InspectionRunner, _ evidence: Set<FilePath>
    ) {
        let name = report.inspection.name
        do {
            let digests = Set(
                records.values.flatMap { $0.products.set.usedAlgorithms + $0.materials.set.usedAlgorithms })
            let found = try runner.run(report.inspection, digests.sorted(), evidence)
            let link = found.link
            report.hasRun = true
            report.link = link
            report.notRecorded = found.notRecorded
            report.hidden = found.hidden
            report.warnings = found.hidden.map { .hidden(name, pattern: $0.pattern, paths: $0.paths) }
            guard case .integer(let value)? = link.byproducts["return-value"] else {
                report.problems.append(.inspection(name, .noStatus))
                return
            }
            guard value == 0 else {
                report.problems.append(.inspection(name, .status(value)))
                return
            }
            let record = try ArtifactRecord(link, request.policy.names)
            records[name.text] = record
            let evaluator = RuleEvaluator(records, inspections: Set(group.inspections.map(\.name.text)))
            let traces = [
                evaluator.evaluate(report.inspection.expectedMaterials, on: record, .materials),
                evaluator.evaluate(report.inspection.expectedProducts, on: record, .products),
            ]
            (report.materials, report.products) = (traces[0], traces[1])
            report.problems = traces.flatMap { $0.problems(of: name) }
            // What rules do not see could stand in the place of a product, or beside it, whatever they forbid.
            if !found.notRecorded.isEmpty { report.problems.append(.notRecorded(name, found.notRecorded)) }
            report.warnings += traces.flatMap { $0.warnings(of: name) }
        } catch let fault as InspectionFault {
            report.hasRun = fault.hasRun
            report.problems.append(.inspection(name, fault))
        } catch let problem as ArtifactProblem {
            report.problems.append(.inspection(name, .artifacts(problem)))
        } catch { report.problems.append(.inspection(name, .notRun("\(error)"))) }
    }
}
