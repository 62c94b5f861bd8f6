import Foundation
import SystemPackage
import TestSupport

@testable import InTotoStorage

/// The test's own directory, and what is in it.
enum Place {
    static func path(_ name: String) -> FilePath { FilePath(TemporaryDirectory.current.path).appending(name) }

    static func directory() throws -> EvidenceDirectory {
        try EvidenceDirectory(FilePath(TemporaryDirectory.current.path))
    }

    static func list() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: TemporaryDirectory.current.path).sorted()
    }

    static func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: TemporaryDirectory.current.appending(path: name)), as: UTF8.self)
    }

    static func write(_ text: String, to name: String, mode: Int = 0o644) throws {
        let path = TemporaryDirectory.current.appending(path: name).path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    static func mode(_ name: String) throws -> Int? {
        let path = TemporaryDirectory.current.appending(path: name).path
        return try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @discardableResult
    static func shell(_ script: String) throws -> Subprocess {
        try Subprocess.run("/bin/sh", ["-c", script], in: TemporaryDirectory.current)
    }
}
