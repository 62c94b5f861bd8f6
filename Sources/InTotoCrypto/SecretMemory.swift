#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#elseif canImport(Darwin)
    private import Darwin
#endif

/// Pages of their own for secrets: kept out of swap, of core dumps and of forked children as far as the system permits.
enum SecretMemory {
    static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        let size = pages(size)
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0), memory != MAP_FAILED
        else { preconditionFailure("out of memory") }
        // Best effort: the limit on locked memory is often small, and a secret that cannot be locked is still needed.
        _ = mlock(memory, size)
        #if os(Linux)
            _ = madvise(memory, size, MADV_DONTDUMP)
            _ = madvise(memory, size, MADV_WIPEONFORK)
        #endif
        return memory
    }

    /// `memory` was wiped already.
    static func release(_ memory: UnsafeMutableRawPointer, size: Int) { munmap(memory, pages(size)) }

    private static func pages(_ size: Int) -> Int {
        let page = sysconf(Int32(_SC_PAGESIZE))
        return (max(size, 1) + page - 1) / page * page
    }
}
