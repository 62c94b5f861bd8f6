internal import Foundation

/// A library that changes what the C library says to the runner, for what no real system can be made to do in a test.
public enum PreloadedLibrary {
    /// The clock of the day goes backwards, as long as it goes on.
    public static let backwardsClock = """
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        int clock_gettime(clockid_t clock, struct timespec *time) {
            int result = syscall(SYS_clock_gettime, clock, time);
            if (clock == CLOCK_REALTIME) {
                struct timespec since;
                syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &since);
                *time = (struct timespec){2000000000 - 1000 * since.tv_sec - since.tv_nsec / 1000000, 0};
            }
            return result;
        }
        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            *time = (struct timeval){now.tv_sec, 0};
            return 0;
        }
        """

    /// The runner, and it alone, takes leave of its children a second late.
    public static let lateWaiting = """
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <errno.h>
        #include <string.h>
        #include <sys/types.h>
        #include <unistd.h>
        pid_t waitpid(pid_t process, int *status, int options) {
            if (strcmp(program_invocation_short_name, "intoto-run") == 0) usleep(1000000);
            return syscall(SYS_wait4, process, status, options, 0);
        }
        """

    /// What would wake a thread of Foundation's does not reach it; `wake-up` is a file then.
    public static let lostWakeUps = """
        #include <errno.h>
        #include <fcntl.h>
        #include <sys/eventfd.h>
        #include <unistd.h>
        int eventfd_write(int file, eventfd_t value) {
            (void)file, (void)value;
            close(open("wake-up", O_CREAT | O_WRONLY, 0644));
            errno = EROFS;
            return -1;
        }
        """

    /// The process that would become the command is killed once it is ready, before the runner gives it leave to go on.
    public static let deathBeforeLeave = """
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <errno.h>
        #include <signal.h>
        #include <string.h>
        #include <sys/types.h>
        #include <unistd.h>
        ssize_t write(int file, const void *buffer, size_t size) {
            if (size == 1 && strcmp(program_invocation_short_name, "intoto-run") == 0) usleep(500000);
            ssize_t count = syscall(SYS_write, file, buffer, size);
            if (size == 16 && strcmp(program_invocation_short_name, "exe") == 0) raise(SIGKILL);
            return count;
        }
        """

    /// Files are read in pieces of 100 bytes, as some network file systems do.
    public static let shortReads = """
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <sys/types.h>
        #include <unistd.h>
        ssize_t pread64(int file, void *buffer, size_t size, off64_t offset) {
            return syscall(SYS_pread64, file, buffer, size < 100 ? size : 100, offset);
        }
        ssize_t pread(int file, void *buffer, size_t size, off_t offset) { return pread64(file, buffer, size, offset); }
        """

    /// Directories that hold a file `unreadable` cannot be listed past their first entries.
    public static let failingList = """
        #define _GNU_SOURCE
        #include <dirent.h>
        #include <dlfcn.h>
        #include <errno.h>
        #include <unistd.h>
        struct dirent *readdir(DIR *directory) {
            static int count;
            struct dirent *(*next)(DIR *) = (struct dirent *(*)(DIR *))dlsym(RTLD_NEXT, "readdir");
            if (faccessat(dirfd(directory), "unreadable", F_OK, 0) == 0 && count++ == 3) {
                errno = EIO;
                return NULL;
            }
            return next(directory);
        }
        struct dirent64 *readdir64(DIR *directory) { return (struct dirent64 *)readdir(directory); }
        """

    /// Directories that hold a file `unreadable` cannot be opened a second time, to be listed.
    public static let failingOpening = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <stdarg.h>
        #include <string.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int openat(int directory, const char *name, int flags, ...) {
            va_list rest;
            va_start(rest, flags);
            int mode = va_arg(rest, int);
            va_end(rest);
            if (strcmp(name, ".") == 0 && faccessat(directory, "unreadable", F_OK, 0) == 0) {
                errno = EMFILE;
                return -1;
            }
            return syscall(SYS_openat, directory, name, flags, mode);
        }
        int openat64(int directory, const char *name, int flags, ...) {
            va_list rest;
            va_start(rest, flags);
            int mode = va_arg(rest, int);
            va_end(rest);
            return openat(directory, name, flags, mode);
        }
        """

    /// Directories that hold a file `unreadable` cannot be made lists of, and what is closed after that fails, too.
    public static let failingListing = """
        #define _GNU_SOURCE
        #include <dirent.h>
        #include <dlfcn.h>
        #include <errno.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        static int failed = -1;
        DIR *fdopendir(int directory) {
            DIR *(*next)(int) = (DIR *(*)(int))dlsym(RTLD_NEXT, "fdopendir");
            if (faccessat(directory, "unreadable", F_OK, 0) == 0) {
                failed = directory;
                errno = ENOMEM;
                return NULL;
            }
            return next(directory);
        }
        int close(int file) {
            int result = syscall(SYS_close, file);
            if (file == failed) {
                errno = EIO;
                return -1;
            }
            return result;
        }
        """

    /// Empty files were changed at the end of time.
    public static let endOfTime = """
        #define _GNU_SOURCE
        #include <sys/stat.h>
        #include <sys/syscall.h>
        #include <stdint.h>
        #include <unistd.h>
        int fstat(int file, struct stat *status) {
            int result = syscall(SYS_fstat, file, status);
            if (result == 0 && S_ISREG(status->st_mode) && status->st_size == 0) status->st_ctim.tv_sec = INT64_MAX;
            return result;
        }
        int fstat64(int file, struct stat64 *status) { return fstat(file, (struct stat *)status); }
        """

    /// Compiles `source` to `preloaded.so` in the runner's directory; the runner loads it, and so does the command.
    public static func install(_ source: String, in run: inout IntotoRun) throws {
        try run.write(source, to: "preloaded.c")
        let made = try Subprocess.run(
            "/usr/bin/env", ["cc", "-shared", "-fPIC", "-o", "preloaded.so", "preloaded.c"], in: run.directory)
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        run.environment["LD_PRELOAD"] = run.directory.appending(path: "preloaded.so").path
    }
}
