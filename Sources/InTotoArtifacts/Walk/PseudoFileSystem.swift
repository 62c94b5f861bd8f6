import SystemPackage

/// File systems whose files are the kernel talking: their content is no artifact, and may never end.
enum PseudoFileSystem {
    /// Whether the device with this number, as a file's status has it, is one. False where the kernel does not say.
    static func isDevice(_ device: UInt64) -> Bool {
        #if os(Linux)
            guard let table = try? SystemCalls.contents(of: "/proc/self/mountinfo", limit: 16 << 20) else {
                return false
            }
            let wanted = Array("\(major(device)):\(minor(device))".utf8)
            for line in table.split(separator: UInt8(ascii: "\n")) {
                // "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAGS] - TYPE SOURCE OPTIONS". Source: proc(5).
                let fields = line.split(separator: UInt8(ascii: " "))
                guard fields.count > 2, fields[2].elementsEqual(wanted) else { continue }
                guard let dash = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }) else { continue }
                let type = fields[min(dash + 1, fields.count - 1)]
                return names.contains { type.elementsEqual($0.utf8) }
            }
        #endif
        return false
    }

    private static let names = [
        "proc", "sysfs", "debugfs", "tracefs", "securityfs", "cgroup", "cgroup2", "bpf", "configfs", "pstore",
        "efivarfs", "selinuxfs", "binfmt_misc",
    ]

    /// As glibc splits device numbers.
    private static func major(_ device: UInt64) -> UInt64 { device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000 }

    private static func minor(_ device: UInt64) -> UInt64 { device & 0xFF | device >> 12 & 0xFFFF_FF00 }
}
