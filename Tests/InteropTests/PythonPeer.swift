import Foundation
import TestSupport

/// The Python implementation of in-toto: its command-line tools, several in one start of Python.
struct PythonPeer {
    struct Call: Encodable {
        /// A tool's name without `in-toto-`, or `layout`: see scripts/lib/run-peer.py.
        var program: String
        var arguments: [String]
        var directory: String

        init(_ program: String, _ arguments: [String], in directory: URL) {
            self.program = program
            self.arguments = arguments
            self.directory = directory.path
        }
    }

    struct Outcome: Decodable {
        var status: Int32
        /// Standard output and error together.
        var log: String
    }

    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let python = root.appending(path: ".build/peers/bin/python")

    /// Runs each call in order; throws where the peer itself is not there, which is never a reason to skip.
    static func run(_ calls: [Call]) throws -> [Outcome] {
        guard FileManager.default.isExecutableFile(atPath: python.path) else {
            throw Unusable(description: "\(python.path) is not there: run scripts/install-deps --dev")
        }
        let script = root.appending(path: "scripts/lib/run-peer.py").path
        let input = [UInt8](try JSONEncoder().encode(calls))
        let result = try Subprocess.run(
            python.path, ["-B", script],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"],
            input: input)
        guard result.status == 0 else {
            throw Unusable(description: "run scripts/install-deps --dev; Python says: \(result.errorText)")
        }
        return try JSONDecoder().decode([Outcome].self, from: Data(result.output))
    }
}
