import Foundation
import InTotoMetadata
import TestSupport

/// A real supply chain of three steps: git clones a local repository, make compiles the C project of Examples/hello-c,
/// tar packs it; each step is signed by a functionary of its own. What is delivered is `hello.tar`.
struct SupplyChain {
    static let steps = ["checkout", "build", "package"]
    private static let checkout = ["git", "clone", "-q", "origin", "project"]
    private static let build = ["make", "-s", "dist/hello"]
    private static let package = ["tar", "-C", "project/dist", "-cf", "project/hello.tar", "hello"]

    let run: IntotoRun
    private let format: String
    private let keyType: String

    init(keyType: String, format: String) throws {
        run = IntotoRun()
        self.format = format
        self.keyType = keyType
        try makeKeys()
        try makeRepository()
        try record(
            "checkout", ["-p", "project", "--lstrip-paths", "project/"], Self.checkout)
        try record(
            "build", ["--base-path", "project", "-C", "project", "-m", "Makefile", "src", "-p", "dist/hello"],
            Self.build)
        try record(
            "package", ["--base-path", "project", "-m", "dist/hello", "-p", "hello.tar"], Self.package)
    }

    private func makeKeys() throws {
        try run.makeKey("owner.pem")
        for step in Self.steps { try run.makeKey("\(step).pem", type: keyType) }
    }

    private func makeRepository() throws {
        let source = Vectors.directory.appending(path: "../../../Examples/hello-c").standardizedFileURL
        try FileManager.default.copyItem(at: source, to: run.directory.appending(path: "origin"))
        let made = try run.shell(
            """
            mkdir links && cd origin && git init -q && git add . &&
            git -c user.name=n -c user.email=n@example.org commit -q -m 'First version'
            """)
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
    }

    private func record(_ step: String, _ options: [String], _ command: [String]) throws {
        let evidence = ["-q", "-n", step, "-k", "\(step).pem", "--format", format, "-d", "links"]
        let result = try run.run(evidence + options + ["--"] + command)
        guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: "\(step): \(result.errorText)") }
    }

    // MARK: The layout

    /// The rules that the chain keeps; each list ends in DISALLOW *.
    func layout(dsse: Bool) -> LayoutSpecification {
        let rest = ["DISALLOW", "*"]
        func match(_ pattern: String, from step: String) -> [String] {
            ["MATCH", pattern, "WITH", "PRODUCTS", "FROM", step]
        }
        return LayoutSpecification(
            owner: "owner.pem", dsse: dsse,
            steps: [
                .init(
                    name: "checkout", key: "checkout.pem.pub", expectedCommand: Self.checkout,
                    expectedMaterials: [rest],
                    expectedProducts: [["CREATE", "Makefile"], ["CREATE", "README.md"], ["CREATE", "src/*"], rest]),
                .init(
                    name: "build", key: "build.pem.pub", expectedCommand: Self.build,
                    expectedMaterials: [match("Makefile", from: "checkout"), match("src/*", from: "checkout"), rest],
                    expectedProducts: [["CREATE", "dist/hello"], rest]),
                .init(
                    name: "package", key: "package.pem.pub", expectedCommand: Self.package,
                    expectedMaterials: [["REQUIRE", "dist/hello"], match("dist/hello", from: "build"), rest],
                    expectedProducts: [["CREATE", "hello.tar"], rest]),
            ],
            inspections: [
                .init(
                    name: "unpack", run: ["tar", "-xf", "hello.tar"],
                    expectedMaterials: [match("hello.tar", from: "package"), rest],
                    expectedProducts: [
                        match("hello.tar", from: "package"),
                        ["MATCH", "hello", "WITH", "PRODUCTS", "IN", "dist", "FROM", "build"],
                        rest,
                    ])
            ])
    }

    // MARK: One delivery

    /// What a client has: the product, and the links beside it.
    struct Delivery {
        let directory: URL

        var product: URL { directory.appending(path: "product/hello.tar") }

        func link(of step: String) throws -> URL {
            let links = directory.appending(path: "links")
            let names = try FileManager.default.contentsOfDirectory(atPath: links.path).filter {
                $0.hasPrefix("\(step).")
            }
            guard let name = names.first, names.count == 1 else {
                throw IntotoRun.SetupFailure(reason: "links of \(step): \(names)")
            }
            return links.appending(path: name)
        }

        /// Verifies against the layout beside the deliveries.
        func verification(layout: String) -> PythonPeer.Call {
            PythonPeer.Call(
                "verify",
                [
                    "--layout", "../../\(layout)", "--verification-keys", "../../owner.pem.pub", "--link-dir",
                    "../links",
                ],
                in: directory.appending(path: "product"))
        }
    }

    /// A copy of product and links of its own, which a test may spoil.
    func delivery(_ name: String) throws -> Delivery {
        let delivery = Delivery(directory: run.directory.appending(path: name))
        let files = FileManager.default
        try files.createDirectory(at: delivery.product.deletingLastPathComponent(), withIntermediateDirectories: true)
        try files.copyItem(at: run.directory.appending(path: "project/hello.tar"), to: delivery.product)
        try files.copyItem(at: run.directory.appending(path: "links"), to: delivery.directory.appending(path: "links"))
        return delivery
    }
}
