/* What Linux tells of files and does to them, and Swift's C library module leaves out. Each returns 0, or -1 with errno. */
#ifndef CFILESYSTEM_H
#define CFILESYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* The kind of file system, as statfs(2) numbers them. */
int cfs_type(int descriptor, uint64_t *type);

/* A number that no other mount has; on kernels before 6.8, that no other mount has at the time. */
int cfs_mount_id(int descriptor, uint64_t *id);

/* Succeeds where nobody has the regular file open for writing or mapped writable; needs a descriptor opened for reading
   by the file's owner. It takes a lease for the moment, which is how the kernel answers that question. */
int cfs_check_no_writer(int descriptor);

/* memmem(3), which the module leaves out as well: where the pattern stands first, or NULL. In linear time. */
const void *cfs_find(const void *bytes, size_t count, const void *pattern, size_t length);

/* Renames an entry of the directory in one step, unless something has the name `target` (EEXIST). Not every file system
   can (EINVAL), nor every kernel (ENOSYS). */
int cfs_rename_to_free_name(int directory, const char *name, const char *target);

#endif
