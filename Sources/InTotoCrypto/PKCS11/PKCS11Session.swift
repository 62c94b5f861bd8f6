private import CPKCS11

/// A session with one token. The module is initialised for it and finalised after it, so that nothing of it is open, or
/// logged in, between two signatures.
final class PKCS11Session {
    private let functions: UnsafePointer<p11_functions>
    private var session: p11_number = 0
    private let tokenFlags: p11_number
    private var isLoggedIn = false

    init(_ uri: PKCS11URI) throws(PKCS11Error) {
        var error: UnsafePointer<CChar>?
        guard let functions = p11_load(uri.modulePath, &error) else {
            throw .module(path: uri.modulePath, reason: error.map { String(cString: $0) } ?? "no reason given")
        }
        self.functions = functions
        try Self.check(functions.pointee.initialize(nil), "start its module")
        do {
            let (slot, flags) = try Self.token(uri, functions)
            tokenFlags = flags
            try Self.check(
                functions.pointee.open_session(slot, Flag.serialSession, nil, nil, &session), "open a session")
        } catch {
            _ = functions.pointee.finalize(nil)
            throw error
        }
    }

    deinit {
        if isLoggedIn { _ = functions.pointee.logout(session) }
        _ = functions.pointee.close_session(session)
        _ = functions.pointee.finalize(nil)
    }

    /// Logs in where the token wants it. A PIN that is refused is tried once: few tries remain.
    func logIn(_ pin: SecretBytes?) throws(PKCS11Error) {
        guard tokenFlags & Flag.loginRequired != 0, !isLoggedIn else { return }
        try logIn(pin, as: User.normal)
        isLoggedIn = true
    }

    private func logIn(_ pin: SecretBytes?, as user: p11_number) throws(PKCS11Error) {
        let result: p11_number
        if let pin {
            result = pin.withUnsafeBytes {
                functions.pointee.login(
                    session, user, $0.bindMemory(to: p11_byte.self).baseAddress, p11_number($0.count))
            }
        } else {
            // A reader with keys of its own asks by itself.
            guard tokenFlags & Flag.protectedPath != 0 else { throw .pinMissing }
            result = functions.pointee.login(session, user, nil, 0)
        }
        switch result {
        case Result.pinIncorrect, Result.pinInvalid, Result.pinLength: throw .pinRefused
        case Result.pinLocked: throw .pinLocked
        default: try Self.check(result, "log in")
        }
    }

    // MARK: Objects

    /// Objects of a class that have these attributes; no more than a few are of interest.
    func objects(
        _ kind: TokenObject.Kind, _ attributes: [(TokenObject.Attribute, [UInt8])]
    ) throws(PKCS11Error) -> [TokenObject] {
        var values = [withUnsafeBytes(of: kind.rawValue) { Array($0) }] + attributes.map(\.1)
        let types = [TokenObject.Attribute.kind.rawValue] + attributes.map(\.0.rawValue)
        var found = [p11_number](repeating: 0, count: 16)
        var count: p11_number = 0
        // One buffer under all values, since their pointers must stay good for the call.
        let lengths = values.map(\.count)
        var all = Array(values.joined())
        values = []
        let started = all.withUnsafeMutableBytes { buffer in
            var offset = 0
            var template = zip(types, lengths).map { type, length in
                defer { offset += length }
                return p11_attribute(
                    type: type, value: buffer.baseAddress?.advanced(by: offset), length: p11_number(length))
            }
            return functions.pointee.find_start(session, &template, p11_number(template.count))
        }
        try Self.check(started, "look for a key")
        let result = functions.pointee.find(session, &found, p11_number(found.count), &count)
        _ = functions.pointee.find_end(session)
        try Self.check(result, "look for a key")
        return found.prefix(Int(count)).map { TokenObject(handle: $0) }
    }

    /// Nil where the object has no such attribute, or keeps it.
    func value(_ attribute: TokenObject.Attribute, of object: TokenObject) throws(PKCS11Error) -> [UInt8]? {
        var query = p11_attribute(type: attribute.rawValue, value: nil, length: 0)
        let asked = functions.pointee.attributes(session, object.handle, &query, 1)
        guard asked == Result.ok, query.length != unavailable, query.length <= 1 << 16 else { return nil }
        var value = [UInt8](repeating: 0, count: Int(query.length))
        let result = value.withUnsafeMutableBytes { buffer in
            query.value = buffer.baseAddress
            return functions.pointee.attributes(session, object.handle, &query, 1)
        }
        try Self.check(result, "read a key")
        return Array(value.prefix(Int(query.length)))
    }

    // MARK: Signing

    /// Signs with the mechanism, in the token's own form of signatures.
    func sign(
        _ message: [UInt8], _ mechanism: TokenMechanism, with key: TokenObject, _ pin: SecretBytes?
    ) throws(PKCS11Error) -> [UInt8] {
        var parameters = p11_pss_parameters(
            hash: TokenMechanism.sha256, mask: TokenMechanism.mgf1SHA256, salt_length: 32)
        let started = withUnsafeMutableBytes(of: &parameters) { buffer in
            var choice = p11_mechanism(mechanism: mechanism.rawValue, parameter: nil, length: 0)
            if mechanism == .rsaPSS {
                choice.parameter = buffer.baseAddress
                choice.length = p11_number(buffer.count)
            }
            return functions.pointee.sign_start(session, &choice, key.handle)
        }
        try Self.check(started, "start signing")
        if try value(.alwaysAuthenticate, of: key)?.contains(1) == true { try logIn(pin, as: User.contextSpecific) }
        var signature = [UInt8](repeating: 0, count: 4096)
        var length = p11_number(signature.count)
        try Self.check(
            functions.pointee.sign(session, message, p11_number(message.count), &signature, &length), "sign")
        guard length <= signature.count else { throw .badSignature }
        return Array(signature[..<Int(length)])
    }

    private static func check(_ result: p11_number, _ operation: String) throws(PKCS11Error) {
        guard result == Result.ok else { throw .refused(operation: operation, result: UInt(result)) }
    }
}

// MARK: Tokens

extension PKCS11Session {
    private static func token(
        _ uri: PKCS11URI, _ functions: UnsafePointer<p11_functions>
    ) throws(PKCS11Error) -> (slot: p11_number, flags: p11_number) {
        var slots = [p11_number](repeating: 0, count: 256)
        var count = p11_number(slots.count)
        try check(functions.pointee.slot_list(1, &slots, &count), "list its slots")
        var fitting: [(p11_number, p11_number)] = []
        for slot in slots.prefix(Int(count)) where uri.slotID.map({ $0 == UInt(slot) }) ?? true {
            var information = p11_token_info()
            // A slot that lost its token meanwhile is none that fits.
            guard functions.pointee.token_info(slot, &information) == Result.ok,
                information.flags & Flag.initialized != 0, fits(information, uri)
            else { continue }
            fitting.append((slot, information.flags))
        }
        guard fitting.count == 1, let token = fitting.first else { throw .tokens(fitting.count) }
        return token
    }

    private static func fits(_ information: p11_token_info, _ uri: PKCS11URI) -> Bool {
        func text<T>(_ field: T) -> [UInt8] {
            var bytes = withUnsafeBytes(of: field) { Array($0) }
            while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
            return bytes
        }
        let values = [
            "token": text(information.label), "serial": text(information.serial),
            "manufacturer": text(information.manufacturer), "model": text(information.model),
        ]
        return uri.tokenAttributes.allSatisfy { values[$0.key] == $0.value }
    }
}

/// Something on a token.
struct TokenObject {
    fileprivate let handle: p11_number

    enum Kind: UInt {
        case certificate = 1
        case publicKey = 2
        case privateKey = 3
    }

    enum Attribute: UInt {
        case kind = 0
        case label = 3
        case value = 0x11
        case keyType = 0x100
        case id = 0x102
        case signs = 0x108
        case modulus = 0x120
        case publicExponent = 0x122
        case curve = 0x180
        case point = 0x181
        case alwaysAuthenticate = 0x202
    }
}

enum TokenMechanism: UInt {
    case rsaPSS = 0x0D
    case ecdsa = 0x1041
    case eddsa = 0x1057

    fileprivate static let sha256: p11_number = 0x250
    fileprivate static let mgf1SHA256: p11_number = 2
}

private enum Flag {
    static let serialSession: p11_number = 4
    static let loginRequired: p11_number = 4
    static let protectedPath: p11_number = 0x100
    static let initialized: p11_number = 0x400
}

private enum User {
    static let normal: p11_number = 1
    static let contextSpecific: p11_number = 2
}

private enum Result {
    static let ok: p11_number = 0
    static let pinIncorrect: p11_number = 0xA0
    static let pinInvalid: p11_number = 0xA1
    static let pinLength: p11_number = 0xA2
    static let pinLocked: p11_number = 0xA4
}

private let unavailable = ~p11_number(0)
