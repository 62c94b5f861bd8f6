public import Foundation

/// What was built, and is tested.
public enum BuiltProduct {
    /// The `intoto-run` that the environment variable `INTOTO_RUN` names; without it, the one beside the tests.
    public static let intotoRun: URL = {
        if let named = ProcessInfo.processInfo.environment["INTOTO_RUN"], !named.isEmpty {
            return URL(filePath: named).absoluteURL
        }
        return tests.deletingLastPathComponent().appending(path: "intoto-run")
    }()

    /// The bundle with the tests that run.
    public static let tests: URL = {
        let arguments = CommandLine.arguments
        // Swift Testing runs the bundle through a helper that is told where it is; XCTest's runner is the bundle.
        return URL(filePath: arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0])
    }()
}
