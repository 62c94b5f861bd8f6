#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

void cs_close_on_exec(const int pair[2]) {
    for (int i = 0; i < 2; i++) fcntl(pair[i], F_SETFD, FD_CLOEXEC);
}

int64_t cs_kibibytes(long maxrss) {
#ifdef __APPLE__
    return maxrss / 1024;
#else
    return maxrss;
#endif
}

int cs_socket_pair(int pair[2]) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return errno;
    cs_close_on_exec(pair);
    return 0;
}

int cs_capture_pipe(int pair[2]) {
    if (pipe(pair) != 0) return errno;
    cs_close_on_exec(pair);
    fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);
    return 0;
}

int cs_feed_pipe(int pair[2]) {
    if (pipe(pair) != 0) return errno;
    cs_close_on_exec(pair);
    fcntl(pair[1], F_SETFL, fcntl(pair[1], F_GETFL) | O_NONBLOCK);
    return 0;
}

uint64_t cs_descriptor_limit(void) {
    struct rlimit limit = {0, 0};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
}

int cs_can_open(int count) {
    int probes[64], opened = 0;
    int ends[2];
    if (count > 64 || pipe(ends) != 0) return 0;
    close(ends[1]);
    for (probes[opened++] = ends[0]; opened < count; opened++)
        if ((probes[opened] = fcntl(ends[0], F_DUPFD_CLOEXEC, 0)) < 0) break;
    for (int i = 0; i < opened; i++) close(probes[i]);
    return opened == count;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *pass_gate(void *unused) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return unused;
}

int cs_can_start_threads(int count) {
    struct rlimit limit = {0, 0}, space = {0, 0};
    int is_limited = getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur <= 1000;
    if (!is_limited && (getrlimit(RLIMIT_AS, &space) != 0 || space.rlim_cur == RLIM_INFINITY)) return 1;
    pthread_t threads[64];
    int started = 0;
    pthread_mutex_lock(&gate); /* so that none has ended before all are there */
    while (started < count && started < 64 && pthread_create(&threads[started], NULL, pass_gate, NULL) == 0) started++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    return started == count;
}

int cs_available(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : 0;
}

/* Where the caller had closed 0, 1 or 2, a file of ours must not become one: what is printed would go there. */
static void plug_standard_descriptors(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1) open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY); /* takes the lowest free one */
}

/* Swift's handlers print registers and the memory that they point to, where a key may be, into a build's log. They are
   there before us where its runtime is a library, whatever SWIFT_BACKTRACE says then. */
static void drop_crash_handlers(void) {
    static const int crashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGSYS, SIGTRAP};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        struct sigaction action;
        if (sigaction(crashes[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) signal(crashes[i], SIG_DFL);
    }
}

/* A descriptor stays open where the limit is lowered below it, but nothing can be put in its place: neither here nor in
   the trampoline, which sets the limit back. */
static void make_room_for_inherited_descriptors(void) {
    const struct cs_startup *startup = cs_startup_state();
    if (startup->highest_descriptor < 0 || (uint64_t)startup->highest_descriptor < startup->files_soft) return;
    rlim_t wanted = (rlim_t)startup->highest_descriptor + 1;
    struct rlimit limit = {startup->files_hard, startup->files_hard};
    if (wanted < limit.rlim_max) limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void cs_limit_file_size(int is_limited) {
    const struct cs_startup *startup = cs_startup_state();
    struct rlimit limit = {is_limited ? startup->size_soft : startup->size_hard, startup->size_hard};
    setrlimit(RLIMIT_FSIZE, &limit);
}

void cs_prepare_runner(void) {
    plug_standard_descriptors();
    drop_crash_handlers();
    make_room_for_inherited_descriptors();
    cs_limit_file_size(0);
    /* What is only to be handed on must not be open in anything else that we start. */
    for (int i = 0; i < cs_startup_state()->descriptor_count; i++)
        fcntl(cs_startup_state()->descriptors[i], F_SETFD, FD_CLOEXEC);
    /* Waiting needs SIGCHLD's default: a careless caller's SIG_IGN would make every command's status 0. */
    signal(SIGCHLD, SIG_DFL);
    /* A reader of our output that went away, or a file size limit, must not cost the evidence. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit core = {0, 0};
    getrlimit(RLIMIT_CORE, &core);
    core.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &core);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

void cs_adopt_orphans(int adopts) {
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, adopts);
#else
    (void)adopts;
#endif
}

int64_t cs_milliseconds(void) {
    struct timespec now = {0};
#ifdef __linux__
    clock_gettime(CLOCK_BOOTTIME, &now); /* which Swift's ContinuousClock goes by */
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#ifdef __linux__
const char *cs_stat_path(char path[32], pid_t process) {
    char *start = path + 32 - sizeof "/stat";
    memcpy(start, "/stat", sizeof "/stat");
    do *--start = (char)('0' + process % 10);
    while (process /= 10);
    start -= strlen("/proc/");
    return memcpy(start, "/proc/", strlen("/proc/"));
}

struct cs_process_state cs_state_in(const char *path) {
    struct cs_process_state found = {0, 0};
    char text[256] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return found;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    char *end = count > 0 ? strrchr(text, ')') : NULL;
    if (!end || !end[1] || !end[2] || !end[3]) return found;
    found.state = end[2];
    for (char *digit = end + 4; *digit >= '0' && *digit <= '9'; digit++)
        found.parent = found.parent * 10 + (*digit - '0');
    return found;
}
#endif

int cs_process_descriptor(pid_t process) {
#ifdef SYS_pidfd_open
    int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
    return descriptor < 0 ? -errno : descriptor;
#else
    (void)process;
    return -ENOSYS;
#endif
}
