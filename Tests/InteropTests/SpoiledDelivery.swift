import Foundation
import TestSupport

// What somebody may do to a delivery on its way to the client.

func append(_ text: String, to file: URL) throws {
    var data = try Data(contentsOf: file)
    data += Data(text.utf8)
    try data.write(to: file)
}

/// The right functionary records the build of a tree to which somebody added a file.
func recordWithAnotherSource(_ delivery: SupplyChain.Delivery, _ chain: SupplyChain) throws {
    let link = try delivery.link(of: "build")
    let format = try base64Payload(of: link) == nil ? "link" : "dsse-link"
    let evil = chain.run.directory.appending(path: "project/src/evil.c")
    try Data("int evil;".utf8).write(to: evil)
    let recorded = try chain.run(
        "-q", "-n", "build", "-k", "build.pem", "--format", format, "--overwrite",
        "-d", link.deletingLastPathComponent().path, "--base-path", "project", "-C", "project",
        "-m", "Makefile", "src", "-p", "dist/hello", "--", "make", "-s", "dist/hello")
    try FileManager.default.removeItem(at: evil)
    guard recorded.status == 0 else { throw IntotoRun.SetupFailure(reason: recorded.errorText) }
}

// MARK: Spoiling links

/// Edits what a link says, through the base64 of an envelope where it is in one; fails where nothing changes.
func edit(_ file: URL, _ change: (String) -> String) throws {
    var text = try String(contentsOf: file, encoding: .utf8)
    let before = text
    if let payload = try base64Payload(of: file) {
        let inner = String(decoding: Data(base64Encoded: payload) ?? Data(), as: UTF8.self)
        let changed = Data(change(inner).utf8).base64EncodedString()
        text = text.replacingOccurrences(of: payload, with: changed)
    } else {
        text = change(text)
    }
    guard text != before else { throw IntotoRun.SetupFailure(reason: "nothing to edit in \(file.path)") }
    try Data(text.utf8).write(to: file)
}

private func base64Payload(of file: URL) throws -> String? {
    try object(file)["payload"] as? String
}

private func object(_ file: URL) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
}

private func signature(of file: URL) throws -> [String: String] {
    (try object(file)["signatures"] as? [[String: String]])?.first ?? [:]
}

/// Another character of the same alphabet in the middle of the signature.
func editSignature(_ file: URL) throws {
    let old = try signature(of: file)["sig"] ?? ""
    let middle = old.index(old.startIndex, offsetBy: old.count / 2)
    let new = old.replacingCharacters(in: middle...middle, with: old[middle] == "a" ? "b" : "a")
    let text = try String(contentsOf: file, encoding: .utf8)
    try Data(text.replacingOccurrences(of: old, with: new).utf8).write(to: file)
}

/// Puts a link of `step` that another key signed where the verifier looks for the right one; its signature names its
/// own key, or the one that it claims to be.
func resign(
    _ delivery: SupplyChain.Delivery, step: String, with key: String, claiming claimed: String?, _ chain: SupplyChain
) throws {
    let right = try delivery.link(of: step)
    let format = try base64Payload(of: right) == nil ? "link" : "dsse-link"
    let directory = delivery.directory.appending(path: "forged")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    let forged = try chain.run(
        "-q", "-n", step, "-k", key, "--format", format, "-d", directory.path, "--base-path", "project",
        "-m", "Makefile", "src", "-p", "dist/hello", "--", "true")
    guard forged.status == 0 else { throw IntotoRun.SetupFailure(reason: forged.errorText) }
    let name = try FileManager.default.contentsOfDirectory(atPath: directory.path)[0]
    var text = try String(contentsOf: directory.appending(path: name), encoding: .utf8)
    if claimed != nil {
        let (own, other) = (
            try signature(of: directory.appending(path: name))["keyid"], try signature(of: right)["keyid"]
        )
        text = text.replacingOccurrences(of: own ?? "", with: other ?? "")
    }
    try Data(text.utf8).write(to: right)
}

extension String {
    /// The first hexadecimal digit of the value behind `name` becomes another one.
    func replacingFirstDigit(after name: String) -> String {
        guard let found = range(of: name), let quote = range(of: "\"", range: found.upperBound..<endIndex) else {
            return self
        }
        let digit = quote.upperBound
        return replacingCharacters(in: digit...digit, with: self[digit] == "0" ? "1" : "0")
    }
}
