/// A file that was opened to be hashed, and what it was then.
struct OpenArtifact: ~Copyable {
    let descriptor: Descriptor
    let status: FileStatus

    /// Throws `.changed` where the file is no longer what it was when it was opened.
    func checkUnchanged() throws(FileHasher.Failure) {
        let now = try FileHasher.wrap { () throws(SystemError) in try SystemCalls.status(descriptor.number) }
        if now != status { throw .changed }
    }
}

/// Where a file was found and what it is called, so that it can be opened once more.
struct ArtifactPlace: Sendable {
    var root: Int
    /// The directory relative to the root, no component being a link.
    var directory: [UInt8]
    var name: [UInt8]
    /// What it is called in evidence.
    var path: [UInt8]
    /// A reference names it, which makes it an error that it is no file.
    var isNamed: Bool
    /// How often it was read before.
    var attempts = 0
    /// With which its digest may be used again.
    var proof: UnchangedProof?
    /// It waits for its turn among the large ones.
    var isPutOff = false
}
