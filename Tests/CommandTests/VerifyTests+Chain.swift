import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport

extension VerifyTests {
    /// A chain of one step, `build`, which makes `out` of `in`; the layout's inspections and rules are the test's.
    struct Chain {
        let run: IntotoRun
        var layout: [String: Any]

        /// In a folder of the test's directory where a test has several.
        init(in folder: String = ".", inspections: [[String: Any]] = []) throws {
            run = IntotoRun(in: IntotoRun().directory.appending(path: folder))
            try FileManager.default.createDirectory(at: run.directory, withIntermediateDirectories: true)
            try run.makeKey("owner.pem")
            try run.makeKey("alice.pem")
            try run.write("in", to: "product/in")
            let recorded = try run.shell(
                #"mkdir links && cd product && "$R" -q -n build -k ../alice.pem -d ../links -m in -p out -- cp in out"#)
            guard recorded.status == 0 else { throw IntotoRun.SetupFailure(reason: recorded.errorText) }
            let alice = try PublicKey(file: run.read("alice.pem.pub"))
            let object = try JSONText.object(alice.keyObject)
            let keyID = alice.keyID(.python).description
            layout = [
                "_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "", "keys": [keyID: object],
                "steps": [
                    [
                        "_type": "step", "name": "build", "threshold": 1, "pubkeys": [keyID],
                        "expected_command": ["cp", "in", "out"],
                        "expected_materials": [["ALLOW", "in"], ["DISALLOW", "*"]],
                        "expected_products": [["CREATE", "out"], ["DISALLOW", "*"]],
                    ]
                ],
                "inspect": inspections,
            ]
        }

        static func inspection(_ name: String, _ command: [String], _ rules: [[String]] = []) -> [String: Any] {
            [
                "_type": "inspection", "name": name, "run": command, "expected_materials": rules,
                "expected_products": rules,
            ]
        }

        /// Signs the layout and verifies in the product's directory.
        func verify(_ options: String..., environment: [String: String]? = nil) throws -> Subprocess {
            try verify(options, environment: environment)
        }

        func verify(_ options: [String], environment: [String: String]? = nil) throws -> Subprocess {
            let unsigned: [String: Any] = ["signed": layout, "signatures": []]
            try JSONSerialization.data(withJSONObject: unsigned).write(to: run.directory.appending(path: "unsigned"))
            let signed = try run("sign", "unsigned", "-k", "owner.pem", "-o", "root.layout", "--overwrite")
            guard signed.status == 0 else { throw IntotoRun.SetupFailure(reason: signed.errorText) }
            var runner = IntotoRun(in: run.directory.appending(path: "product"))
            if let environment { runner.environment = environment }
            return try runner.run(
                ["verify", "-l", "../root.layout", "--verification-keys", "../owner.pem.pub", "--link-dir", "../links"]
                    + options)
        }
    }

    enum JSONText {
        static func object(_ object: JSONObject) throws -> Any {
            try JSONSerialization.jsonObject(with: Data(try JSONWriter.bytes(.compact) { $0.object(object) }))
        }
    }
}

extension VerifyTests.Chain {
    /// Another value for a member of the only step.
    mutating func change(_ member: String, to value: Any) throws {
        guard var steps = layout["steps"] as? [[String: Any]] else { throw IntotoRun.SetupFailure(reason: "no steps") }
        steps[0][member] = value
        layout["steps"] = steps
    }
}
