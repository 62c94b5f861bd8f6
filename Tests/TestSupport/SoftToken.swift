import Foundation

/// A token that SoftHSM 2 plays.
public enum SoftToken {
    /// Throwaway.
    public static let pin = "throwaway-1234"

    /// Where Debian has had it.
    public static let module: String = {
        let places = ["/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm"]
            .map { $0 + "/libsofthsm2.so" }
        return places.first { FileManager.default.fileExists(atPath: $0) } ?? "/nonexistent/libsofthsm2.so"
    }()

    /// A directory with a token `build` that holds one key of each type, under its name and a number, as the files
    /// `TYPE.pem` and `TYPE.pem.pub` do.
    public static func project(_ types: [String]) throws -> IntotoRun {
        var run = IntotoRun()
        run.environment["SOFTHSM2_CONF"] = run.directory.appending(path: "softhsm.conf").path
        let tokens = run.directory.appending(path: "tokens").path
        try run.write(
            "directories.tokendir = \(tokens)\nobjectstore.backend = file\nlog.level = ERROR\n", to: "softhsm.conf")
        let start = """
            mkdir tokens
            softhsm2-util --init-token --free --label build --pin \(pin) --so-pin throwaway-5678
            """
        guard try run.shell(start).status == 0 else { throw IntotoRun.SetupFailure(reason: "no SoftHSM") }
        for (index, type) in types.enumerated() {
            try run.makeKey("\(type).pem", type: type)
            let made = try run.shell(
                "softhsm2-util --import \(type).pem --token build --label \(type) --id 0\(index) --pin \(pin)")
            guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        }
        return run
    }
}
