internal import InTotoMetadata

/// What the second half of a step was told: added to what the first half says of itself in a link's `environment`.
public struct CompletionRecord: Sendable {
    public var options: [OptionInForce]
    /// Files of exclusion patterns.
    public var ignoreFiles: [EnvironmentRecord.File]
    /// Replaced in all that the second half adds.
    public let masks: MaskList

    public init(options: [OptionInForce], ignoreFiles: [EnvironmentRecord.File], masks: MaskList) {
        self.options = options
        self.ignoreFiles = ignoreFiles
        self.masks = masks
    }

    /// Each option says which verb it was given to, since those of the first half stand before it.
    func add(to environment: inout JSONObject) {
        let added = options.map { option in
            var object = option.json(masks: masks)
            object["verb"] = "record stop"
            return JSONValue.object(object)
        }
        environment.append(added, to: "options")
        environment.append(ignoreFiles.map { $0.json(masks: masks) }, to: "ignore-files")
    }
}

extension JSONObject {
    /// Adds to an array; each element once.
    mutating func append(_ elements: [JSONValue], to name: Text) {
        guard !elements.isEmpty else { return }
        let known = self.elements(of: name)
        let isKnown = Set(known)
        self[name] = .array(known + elements.filter { !isKnown.contains($0) })
    }

    /// Empty where this is no array.
    func elements(of name: Text) -> [JSONValue] {
        if case .array(let elements)? = self[name] { elements } else { [] }
    }
}
