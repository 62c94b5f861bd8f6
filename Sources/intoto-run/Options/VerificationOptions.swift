import ArgumentParser
import FoundationEssentials
import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import InTotoVerification
import SystemPackage

/// What is verified, against what, and how strictly.
struct VerificationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The signed layout: classic, or in a DSSE envelope.")
    var layout: String

    @Option(
        name: [.customLong("verification-keys"), .customLong("layout-keys")], parsing: .upToNextOption,
        help: ArgumentHelp(
            "The project owner's public keys; every one must have signed the layout.", valueName: "key"))
    var keys: [String] = []

    @Option(
        name: [.customLong("link-dir"), .customLong("attestations")], parsing: .upToNextOption,
        help: ArgumentHelp("Directories with links and bundles, or single files (default: '.').", valueName: "dir"))
    var places: [String] = []

    @Option(name: .customLong("parameters"), help: ArgumentHelp("A JSON object of parameters.", valueName: "file"))
    var parameterFile: String?

    @Option(
        name: .customLong("parameter"), parsing: .upToNextOption,
        help: ArgumentHelp("A parameter of the layout.", valueName: "name=value"))
    var parameters: [String] = []

    @Option(
        name: .customLong("require-attestation"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "A statement that must stand beside a step's links, signed by one of the step's functionaries, about its "
                + "artifacts; a type as for attest.", valueName: "step=type"))
    var attestations: [String] = []

    @Flag(
        name: .customLong("strict-commands"),
        help: "A command that is not the expected one fails; else it is a warning.")
    var strictCommands = false

    @Flag(
        name: .customLong("allow-unsafe-names"),
        help: "Match artifact names as they are written: './x' and 'a/../x' are then not 'x'.")
    var allowsUnsafeNames = false

    @Flag(name: .customLong("allow-weak-keys"), help: "Take RSA keys of 1024 bits and more; else 2048 are needed.")
    var allowsWeakKeys = false

    @Option(
        name: .customLong("expect-layout-digest"),
        help: ArgumentHelp("SHA-256 of the layout file: no other one will do.", valueName: "hex"))
    var layoutDigest: String?

    @Option(name: .customLong("max-size"), help: ArgumentHelp("Most bytes of one evidence file.", valueName: "bytes"))
    var sizeLimit: Int?

    @Option(
        help: ArgumentHelp(
            "Judge at this time, as 2026-01-31T12:00:00Z; for tests and audits, not with --vsa.", valueName: "time"))
    var now: String?

    func validate() throws {
        guard !keys.isEmpty else { throw ValidationError("no --verification-keys: whose layout is it?") }
        guard sizeLimit.map({ $0 > 0 }) ?? true else { throw ValidationError("--max-size is a number of bytes") }
        guard layoutDigest.map({ Hex.decode(Text($0))?.count == 32 }) ?? true else {
            throw ValidationError("--expect-layout-digest takes 64 hexadecimal digits")
        }
        guard now.map({ UTCTime(Text($0)) != nil }) ?? true else {
            throw ValidationError("--now takes a time of the form YYYY-MM-DDTHH:MM:SSZ")
        }
    }

    func request(in context: CommandContext) throws -> VerificationRequest {
        let instant = now.flatMap { UTCTime(Text($0)) }
        var request = VerificationRequest(
            layoutPath: Text(layout).escaped, layout: try layoutBytes(),
            ownerKeys: try TrustOptions.publicKeys(keys, in: context, strength: strength),
            evidence: try Self.distinct(
                (places.isEmpty ? ["."] : places).map(Self.place), in: context.workingDirectory),
            now: instant ?? context.utcNow)
        request.parameters = try substitution()
        request.policy.commands = strictCommands ? .fails : .warns
        request.policy.names = allowsUnsafeNames ? .asWritten : .normalized
        request.policy.keys = strength
        request.policy.layoutDigest = layoutDigest.map { Text($0.lowercased()) }
        request.policy.attestations = try attestations.map(Self.requirement)
        if let sizeLimit { request.policy.evidenceSize = sizeLimit }
        return request
    }

    private var strength: KeyStrength { allowsWeakKeys ? .shortRSA : .standard }

    /// A layout that is not there is a slip; one that is no file, or endless, is a refusal.
    private func layoutBytes() throws -> [UInt8] {
        do { return try BoundedReader.contents(of: FilePath(layout), limit: VerificationRequest.layoutLimit) } catch {
            var failure = Failure.reading(layout, error)
            switch error {
            case .tooLarge, .notRegularFile: failure.status = ExitStatus.no
            case .system, .tooManyEntries, .alreadyExists, .replaced, .unsafeKeyFile: break
            }
            throw failure
        }
    }

    private static func place(_ path: String) throws -> EvidencePlace {
        do { return .folder(try EvidenceFolder(FilePath(path))) } catch {
            if case .system(_, _, .notDirectory) = error { return .file(FilePath(path)) }
            throw Failure.reading(path, error)
        }
    }

    /// Without those that are there already: read twice, one functionary's link would look like two. Below the working
    /// directory, where inspections may meet evidence by each of its paths, every path is kept.
    private static func distinct(_ places: [EvidencePlace], in directory: [UInt8]) -> [EvidencePlace] {
        let places = places.map { (place: $0, identity: PlaceIdentity($0), path: $0.path(below: directory)) }
        let identitiesBelow = Set(places.filter { $0.path != nil }.compactMap(\.identity))
        var seen: Set<PlaceIdentity> = []
        var seenBelow: [PlaceIdentity: Set<FilePath>] = [:]
        return places.filter { place in
            guard let identity = place.identity else { return true }
            if let path = place.path { return seenBelow[identity, default: []].insert(path).inserted }
            return !identitiesBelow.contains(identity) && seen.insert(identity).inserted
        }.map(\.place)
    }

    private static func requirement(_ word: String) throws -> RequiredAttestation {
        let shown = "--require-attestation '\(Text(word).escaped)'"
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { Text(String($0)) }
        guard parts.count == 2 else {
            throw Failure("\(shown): there is no '='", hint: "give STEP=TYPE, as in build=provenance")
        }
        let step: StepName
        do { step = try StepName(parts[0]) } catch { throw Failure("\(shown): \(error)") }
        if let known = KnownPredicate(name: parts[1]) {
            return RequiredAttestation(.known(known), of: step)
        }
        guard parts[1].isURI else {
            throw Failure(
                "\(shown): neither a known type nor a URI",
                hint: "known: \(KnownPredicate.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return RequiredAttestation(.type(parts[1]), of: step)
    }

    // MARK: Parameters

    private func substitution() throws -> ParameterSubstitution? {
        guard parameterFile != nil || !parameters.isEmpty else { return nil }
        var values = try parameterFile.map(Self.values) ?? [:]
        for word in parameters {
            guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                throw Failure("--parameter '\(Text(word).escaped)': there is no '='", hint: "give NAME=VALUE")
            }
            let name = Text(String(word[..<equals]))
            let value = Text(String(word[word.utf8.index(after: equals)...]))
            guard values.updateValue(value, forKey: name) == nil else {
                throw Failure("--parameter '\(name.escaped)' is given twice")
            }
        }
        do { return try ParameterSubstitution(values) } catch { throw Failure("\(error)") }
    }

    private static func values(_ path: String) throws -> [Text: Text] {
        do {
            let json = try JSONReader.read(BoundedReader.contents(of: FilePath(path), limit: 1 << 20))
            guard case .object(let object) = json else { throw Failure("\(Text(path).escaped): is no JSON object") }
            var values: [Text: Text] = [:]
            for member in object.members {
                guard case .string(let value) = member.value else {
                    throw Failure("\(Text(path).escaped): '\(member.name.escaped)' is no string")
                }
                values[member.name] = value
            }
            return values
        } catch let failure as Failure { throw failure } catch { throw Failure.reading(path, error) }
    }
}

/// Which directory a place is, or which file in which directory.
private struct PlaceIdentity: Hashable {
    private let directory: DirectoryIdentity
    private let file: FilePath.Component?

    /// Nil where nobody can tell.
    init?(_ place: EvidencePlace) {
        switch place {
        case .folder(let folder): (directory, file) = (folder.identity, nil)
        case .file(let path):
            let parent = path.removingLastComponent()
            guard let name = path.lastComponent, let identity = DirectoryIdentity(of: parent.isEmpty ? "." : parent)
            else { return nil }
            (directory, file) = (identity, name)
        }
    }
}

extension EvidencePlace {
    /// Its path from `directory`, an absolute one, where it is below that; compared lexically.
    fileprivate func path(below directory: [UInt8]) -> FilePath? {
        let base = FilePath(platformString: directory.map(CChar.init(bitPattern:)) + [0]).lexicallyNormalized()
        let given =
            switch self {
            case .folder(let folder): folder.path
            case .file(let path): path
            }
        var path = base.pushing(given).lexicallyNormalized()
        return path.removePrefix(base) ? path : nil
    }
}

extension CommandContext {
    /// The clock's time, fractions cut off: what expires at a second has expired during it.
    var utcNow: UTCTime { UTCTime(secondsSinceEpoch: Int64(now().timeIntervalSince1970.rounded(.down))) }
}
