public import Foundation

/// The executable that the tests were built with.
public enum BuiltProduct {
    /// `intoto-run`, beside the test bundle.
    public static let intotoRun: URL = {
        let arguments = CommandLine.arguments
        // Swift Testing runs the bundle through a helper that is told where it is; XCTest's runner is the bundle.
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        return URL(filePath: bundle).deletingLastPathComponent().appending(path: "intoto-run")
    }()
}
