private import COpenSSL

/// OpenSSL could not do what was asked; `reason` is its own word for it, never key material.
public struct CryptoError: Error, Hashable, CustomStringConvertible {
    public let operation: String
    public let reason: String

    public var description: String { "could not \(operation): \(reason)" }

    /// Takes the reason from this thread's error queue and empties it, so that one failure never colours the next.
    static func fromErrorQueue(_ operation: String) -> CryptoError {
        var reason = "no reason given"
        var isFirst = true
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            if isFirst, let text = ERR_reason_error_string(code) { reason = String(cString: text) }
            isFirst = false
        }
        return CryptoError(operation: operation, reason: reason)
    }
}

/// Readies OpenSSL once per process, without its configuration file: that file, or the one that `OPENSSL_CONF` names,
/// may load code. It frees nothing at the end of the process, where a thread may still compute digests; and it wipes what
/// it frees, unless somebody has used it in this process before us.
package enum OpenSSL {
    /// Called before any other use of OpenSSL.
    package static let isReady: Bool = {
        _ = intoto_wipe_what_is_freed()
        return OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT), nil) == 1
    }()
}
