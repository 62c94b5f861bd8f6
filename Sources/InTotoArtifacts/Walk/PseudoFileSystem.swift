private import CFileSystem

/// File systems whose files are the kernel talking: their content is no artifact, and may never end.
enum PseudoFileSystem {
    /// Whether an open file is on one. False where the kernel does not say.
    static func holds(_ descriptor: Int32) -> Bool {
        var type: UInt64 = 0
        return cfs_type(descriptor, &type) == 0 && types.contains(type)
    }

    /// Source: Linux, `include/uapi/linux/magic.h`.
    private static let types: Set<UInt64> = [
        0x9FA0,  // proc
        0x6265_6572, 0x6462_6720, 0x7472_6163, 0x7363_6673,  // sysfs, debugfs, tracefs, securityfs
        0x27_E0EB, 0x6367_7270,  // cgroup, cgroup2
        0xCAFE_4A11, 0x6265_6570, 0x6165_676C,  // bpf, configfs, pstore
        0xDE5E_81E4, 0xF97C_FF8C, 0x4249_4E4D,  // efivarfs, selinuxfs, binfmt_misc
    ]
}
