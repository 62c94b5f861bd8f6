public import Foundation

/// The executable that the tests run.
public enum BuiltProduct {
    /// The `intoto-run` that the environment variable `INTOTO_RUN` names; without it, the one beside the test bundle.
    public static let intotoRun: URL = {
        if let named = ProcessInfo.processInfo.environment["INTOTO_RUN"], !named.isEmpty {
            return URL(filePath: named).absoluteURL
        }
        let arguments = CommandLine.arguments
        // Swift Testing runs the bundle through a helper that is told where it is; XCTest's runner is the bundle.
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        return URL(filePath: bundle).deletingLastPathComponent().appending(path: "intoto-run")
    }()
}
