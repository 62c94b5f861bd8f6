/// A file that we write ourselves while artifacts are read, such as evidence.
///
/// Under its own name it is nobody's artifact. A command can give it another: what stands there is listed as not recorded.
public struct OwnFile: Hashable, Sendable {
    public var directory: FileIdentity
    /// In that directory.
    public var name: [UInt8]
    public var identity: FileIdentity

    public init(directory: FileIdentity, name: [UInt8], identity: FileIdentity) {
        self.directory = directory
        self.name = name
        self.identity = identity
    }
}

extension [OwnFile] {
    /// Whether an entry of an open directory has the name of one of them, whatever has been put there since.
    func have(_ name: [UInt8], in directory: Int32) throws(SystemError) -> Bool {
        guard let file = first(where: { $0.name == name }) else { return false }
        return try SystemCalls.status(directory).identity == file.directory
    }
}
