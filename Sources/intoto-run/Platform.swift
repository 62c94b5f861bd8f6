/// What this executable was built for.
enum Platform {
    #if os(Linux)
        static let operatingSystem = "linux"
    #elseif os(macOS)
        static let operatingSystem = "macos"
    #endif

    #if arch(x86_64)
        static let architecture = "x86_64"
    #elseif arch(arm64)
        static let architecture = "arm64"
    #endif
}
