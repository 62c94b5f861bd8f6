public import InTotoMetadata

/// Where a step took place and with what it was recorded, beside what the command itself shows: members of a link's
/// `environment`.
public struct EnvironmentRecord: Sendable {
    /// A file that said what to do, by its SHA-256 as 64 hexadecimal digits.
    public struct File: Hashable, Sendable {
        public var path: Text
        public var sha256: Text

        public init(path: Text, sha256: Text) {
            self.path = path
            self.sha256 = sha256
        }
    }

    public var system: HostSystem
    /// In the order in which they were given; what stands at its default is not among them.
    public var options: [OptionInForce] = []
    public var configuration: File?
    /// Files of exclusion patterns.
    public var ignoreFiles: [File] = []
    public var variables: RecordedVariables?
    /// What a CI system says of the job.
    public var ci: JSONObject?
    public var annotations: [(name: Text, value: Text)] = []
    public var user: UserIdentity?
    /// Replaced in all that is recorded but the step's name and its artifacts', by which verifiers go: what the command's
    /// output announced, too.
    public let masks: MaskList
    /// Variables that are masked although they do not look secret.
    public let redacted: [VariablePattern]

    public init(system: HostSystem, masks: MaskList, redacted: [VariablePattern]) {
        self.system = system
        self.masks = masks
        self.redacted = redacted
    }

    /// Adds its members to those that are there; `platform` gains some.
    func write(to environment: inout JSONObject) {
        environment["platform"] = platform(environment["platform"])
        environment["options"] = options.isEmpty ? nil : .array(options.map { .object($0.json(masks: masks)) })
        environment["configuration"] = configuration?.json(masks: masks)
        environment["ignore-files"] = ignoreFiles.isEmpty ? nil : .array(ignoreFiles.map { $0.json(masks: masks) })
        environment["ci"] = ci.map { .object(masks.masked($0)) }
        if !annotations.isEmpty {
            var object = JSONObject()
            for annotation in annotations {
                object[object.free(masks.masked(annotation.name))] = .string(masks.masked(annotation.value))
            }
            environment["annotations"] = .object(object)
        }
        if let user { environment["user"] = .object(user.json) }
        if let variables { write(variables, to: &environment) }
    }

    private func platform(_ known: JSONValue?) -> JSONValue {
        var platform = if case .object(let object)? = known { object } else { JSONObject() }
        platform.record(bytes: system.kernelRelease, as: "kernel")
        if let distribution = system.distribution { platform.record(bytes: distribution, as: "distribution") }
        if let version = system.distributionVersion { platform.record(bytes: version, as: "distribution-version") }
        platform["container"] = .bool(!system.containerSigns.isEmpty)
        if !system.containerSigns.isEmpty {
            platform["container-signs"] = .array(system.containerSigns.map { .string(Text($0)) })
        }
        return .object(platform)
    }

    private func write(_ variables: RecordedVariables, to environment: inout JSONObject) {
        var values = JSONObject()
        for (name, value) in variables.values {
            values.record(bytes: variables.recorded(value, of: name, masks: masks), as: name)
        }
        environment["variables"] = .object(values)
        guard !variables.withheld.isEmpty else { return }
        environment["variables-withheld"] = .array(variables.withheld.map(JSONValue.string))
    }
}

/// An option that somebody gave.
public struct OptionInForce: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        case argument
        /// The configuration file.
        case configuration
        case variable(Text)

        var text: Text {
            switch self {
            case .argument: "argument"
            case .configuration: "configuration"
            case .variable(let name): Text("variable \(name)")
            }
        }
    }

    /// Its long name, without dashes.
    public var name: Text
    /// Empty for a switch, and where the values are nobody's business.
    public var values: [Text]
    public var source: Source

    public init(name: Text, values: [Text], source: Source) {
        self.name = name
        self.values = values
        self.source = source
    }
}

extension OptionInForce {
    func json(masks: MaskList) -> JSONObject {
        var object: JSONObject = ["name": .string(name), "source": .string(source.text)]
        if !values.isEmpty { object["values"] = .array(values.map { .string(masks.masked($0)) }) }
        return object
    }
}

extension MaskList {
    fileprivate func masked(_ text: Text) -> Text { Text(repairing: masked(text.utf8)) }

    fileprivate func masked(_ record: JSONObject) -> JSONObject {
        var masked = record
        for member in record.members {
            if case .string(let text) = member.value { masked[member.name] = .string(self.masked(text)) }
        }
        return masked
    }
}

extension JSONObject {
    /// `name`, or with a number behind it where that is taken: two names may look the same once they are masked.
    fileprivate func free(_ name: Text) -> Text {
        guard self[name] != nil else { return name }
        let numbered = (2...members.count + 2).lazy.map { Text("\(name) (\($0))") }
        return numbered.first { self[$0] == nil } ?? name
    }
}

extension EnvironmentRecord.File {
    func json(masks: MaskList) -> JSONValue { ["path": .string(masks.masked(path)), "sha256": .string(sha256)] }
}

extension UserIdentity {
    fileprivate var json: JSONObject {
        var object: JSONObject = ["uid": .integer(Int64(user)), "gid": .integer(Int64(group))]
        if let name { object.record(bytes: name, as: "name") }
        return object
    }
}
