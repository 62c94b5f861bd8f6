import Foundation
import InTotoMetadata
import InTotoStorage
import SystemPackage
import TestSupport
import Testing

/// A directory that others filled: what of it is listed, and what of it is opened.
@Suite(.temporaryDirectory) struct EvidenceFolderTests {
    var path: FilePath { FilePath(TemporaryDirectory.current.path) }

    func shell(_ script: String) throws {
        let result = try Subprocess.run("/bin/sh", ["-c", script], in: TemporaryDirectory.current)
        #expect(result.status == 0, "\(result.errorText)")
    }

    @Test func `names are listed in byte order, without hidden ones and those that are no UTF-8`() throws {
        try shell(#"touch b a .hidden 'é' "$(printf 'x\377')"; mkdir Z"#)
        #expect(try EvidenceFolder(path).names == ["Z", "a", "b", "é"])
    }

    @Test func `a file's bytes are read, up to the limit`() throws {
        try shell("printf 12345 >a")
        let folder = try EvidenceFolder(path)
        #expect(try folder.contents(of: "a") == Array("12345".utf8))
        #expect(try folder.contents(of: "a", limit: 5).count == 5)
        #expect(throws: StorageError.self) { try folder.contents(of: "a", limit: 4) }
        #expect(throws: StorageError.self) { try folder.contents(of: "none") }
    }

    @Test(.timeLimit(.minutes(20)), arguments: ["fifo", "device", "link", "link to a device", "folder"])
    func `what is no regular file, or a link to one, is refused at once`(name: String) throws {
        try shell("mkfifo fifo; printf x >file; ln -s file link; ln -s /dev/zero 'link to a device'; mkdir folder")
        if name == "device" { try shell("mknod device c 1 5 2>/dev/null || mkfifo device") }
        let folder = try EvidenceFolder(path)
        #expect(throws: StorageError.self) { try folder.contents(of: Text(name)) }
        #expect(try folder.contents(of: "file") == Array("x".utf8))
    }

    @Test func `a folder is one, and whoever chose its name may not have made it a link`() throws {
        try shell("mkdir folder; ln -s folder link; printf x >file; touch folder/a")
        #expect(try EvidenceFolder(path.appending("folder"), beneath: true).names == ["a"])
        #expect(try EvidenceFolder(path.appending("link")).names == ["a"])
        #expect(throws: StorageError.self) { try EvidenceFolder(path.appending("link"), beneath: true) }
        #expect(throws: StorageError.self) { try EvidenceFolder(path.appending("file")) }
        #expect(throws: StorageError.self) { try EvidenceFolder(path.appending("none")) }
    }

    @Test func `a folder with more names than the limit is refused, not read in part`() throws {
        try shell("touch .hidden a b c")
        #expect(try EvidenceFolder(path, limit: 3).names == ["a", "b", "c"])
        let error = #expect(throws: StorageError.self) { try EvidenceFolder(path, limit: 2) }
        guard case .tooManyEntries(path, limit: 2)? = error else {
            Issue.record("another error: \(error as Any)")
            return
        }
    }

    @Test func `files are opened in the folder that was listed, wherever its name leads now`() throws {
        try shell("mkdir folder other; printf 1 >folder/a; printf 2 >other/a")
        let folder = try EvidenceFolder(path.appending("folder"))
        try shell("mv folder away; mv other folder")
        #expect(try folder.contents(of: "a") == Array("1".utf8))
    }
}
