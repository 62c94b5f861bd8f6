#include "CFileSystem.h"

#include <errno.h>
#include <string.h>

#if defined(__linux__)

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Linux 6.8; older headers do not have it. */
#define MOUNT_ID_UNIQUE 0x4000u

int cfs_type(int descriptor, uint64_t *type) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    /* A signed word of the kernel's; the magic numbers are 32 bits. */
    *type = (uint32_t)status.f_type;
    return 0;
}

int cfs_mount_id(int descriptor, uint64_t *id) {
    struct statx status;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_MNT_ID | MOUNT_ID_UNIQUE, &status) != 0) return -1;
    if (!(status.stx_mask & (STATX_MNT_ID | MOUNT_ID_UNIQUE))) {
        errno = ENOSYS;
        return -1;
    }
    /* By offset in the kernel's structure: not every libc of today names the member. */
    memcpy(id, (const char *)&status + 0x90, sizeof *id);
    return 0;
}

int cfs_check_no_writer(int descriptor) {
    /* Whoever opens the file for writing while the lease is there makes the kernel send a signal, by default SIGIO,
       which would end us. SIGURG does nothing unless somebody wants it to. */
    if (fcntl(descriptor, F_SETSIG, SIGURG) != 0 || fcntl(descriptor, F_SETLEASE, F_RDLCK) != 0) return -1;
    return fcntl(descriptor, F_SETLEASE, F_UNLCK);
}

int cfs_rename_to_free_name(int directory, const char *name, const char *target) {
    return renameat2(directory, name, directory, target, RENAME_NOREPLACE);
}

#else

int cfs_type(int descriptor, uint64_t *type) {
    (void)descriptor, (void)type;
    errno = ENOSYS;
    return -1;
}

int cfs_mount_id(int descriptor, uint64_t *id) {
    (void)descriptor, (void)id;
    errno = ENOSYS;
    return -1;
}

int cfs_check_no_writer(int descriptor) {
    (void)descriptor;
    errno = ENOSYS;
    return -1;
}

int cfs_rename_to_free_name(int directory, const char *name, const char *target) {
    (void)directory, (void)name, (void)target;
    errno = ENOSYS;
    return -1;
}

#endif

const void *cfs_find(const void *bytes, size_t count, const void *pattern, size_t length) {
    return memmem(bytes, count, pattern, length);
}
