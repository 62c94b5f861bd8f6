#include "CSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static void close_on_exec(const int pair[2]) {
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
    close_on_exec(pair);
    return 0;
}

int cs_capture_pipe(int pair[2]) {
    if (pipe(pair) != 0) return errno;
    close_on_exec(pair);
    fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);
    return 0;
}

int cs_feed_pipe(int pair[2]) {
    if (pipe(pair) != 0) return errno;
    close_on_exec(pair);
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

#ifdef __linux__
/* "/proc/N/stat"; without the library, in whose midst a handler may be called. */
static const char *stat_path(char path[32], pid_t process) {
    char *start = path + 32 - sizeof "/stat";
    memcpy(start, "/stat", sizeof "/stat");
    do *--start = (char)('0' + process % 10);
    while (process /= 10);
    start -= strlen("/proc/");
    return memcpy(start, "/proc/", strlen("/proc/"));
}

struct process_state {
    char state; /* 0 where there is no such process */
    pid_t parent;
};

/* The third and fourth field of /proc/N/stat, behind the name, which may hold anything. */
static struct process_state state_in(const char *path) {
    struct process_state found = {0, 0};
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

static pid_t *inherited;
static size_t inherited_count;

int cs_has_children(void) {
    siginfo_t information = {0};
    return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

void cs_note_inherited(const pid_t *processes, size_t count) {
    inherited = malloc((count + 1) * sizeof *inherited);
    if (!inherited) abort();
    memcpy(inherited, processes, count * sizeof *inherited);
    inherited_count = count;
}

static int is_inherited(pid_t process) {
    for (size_t i = 0; i < inherited_count; i++)
        if (inherited[i] == process) return 1;
    return 0;
}

/* Whether a process of the command's sent it, and is in our process group: what it sends to the group, the command has
   already. What it sends to us alone looks the same; that was meant for the command's parent, and not for the command. */
static int is_from_within(const siginfo_t *information) {
#ifdef __linux__
    pid_t process = information->si_pid;
    if (information->si_code != SI_USER || process <= 0 || getpgid(process) != getpgrp()) return 0;
    char path[32];
    for (int level = 0; process > 0 && level < 1000 && !is_inherited(process); level++) {
        process = state_in(stat_path(path, process)).parent;
        if (process == getpid()) return 1;
    }
#else
    (void)information;
#endif
    return 0;
}

/* With this, a runner says to another below it that the whole tree has the signal: "itr" and 1. */
enum { FOR_TREE = 0x69747201 };

int cs_signal_tree_member(pid_t process, int number) {
#ifdef __linux__
    union sigval value = {.sival_int = FOR_TREE};
    if (sigqueue(process, number, value) == 0 || errno != EAGAIN) return 0;
#endif
    return kill(process, number);
}

static int is_for_tree(const siginfo_t *information) {
#ifdef __linux__
    return information->si_code == SI_QUEUE && information->si_value.sival_int == FOR_TREE;
#else
    (void)information;
    return 0;
#endif
}

static int signal_pipe[2] = {-1, -1};
static int leads_session; /* a terminal that hangs up tells its session's leader alone */

/* By hand, or since somebody in our group wants a terminal in whose background that is. */
static int is_stop(int number) { return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU; }

static void note_signal(int number, siginfo_t *information, void *context) {
    (void)context;
    int saved = errno;
    int is_groups_or_ours = number == SIGINT || number == SIGQUIT || (number == SIGHUP && !leads_session)
        || number == SIGWINCH || number == SIGXCPU || is_stop(number);
#ifdef SI_KERNEL
    int is_kernels = information->si_code == SI_KERNEL; /* so are timers */
#else
    int is_kernels = information->si_pid == 0;
#endif
    struct cs_signal event = {number, is_groups_or_ours && is_kernels, is_from_within(information), is_for_tree(information)};
    ssize_t written = write(signal_pipe[1], &event, sizeof event); /* a full pipe holds enough of them */
    (void)written;
    errno = saved;
}

/* What would end us, and the command with us, were it not passed on; and what we have to know of. A stop is the
   command's to obey, and then ours. */
static int is_watched(int number) {
    switch (number) {
    case SIGHUP: case SIGINT: case SIGQUIT: case SIGTERM: case SIGUSR1: case SIGUSR2: case SIGALRM: case SIGVTALRM:
    case SIGPROF: case SIGXCPU: case SIGIO: case SIGCHLD: case SIGWINCH: case SIGTSTP: case SIGTTIN: case SIGTTOU:
    case SIGCONT:
#ifdef __linux__
    case SIGPWR: case SIGSTKFLT:
#endif
        break;
    default:
#ifdef SIGRTMIN
        if (number >= SIGRTMIN && number <= SIGRTMAX) break;
#endif
        return 0;
    }
    /* What came ignored stays so; but waiting needs SIGCHLD, however it came. */
    return number == SIGCHLD || !(cs_startup_state()->ignored & 1ULL << (number - 1));
}

int cs_watch_signals(void) {
    leads_session = getsid(0) == getpid();
    if (signal_pipe[0] < 0) { /* once for all commands of a process */
        if (pipe(signal_pipe) != 0) return -errno;
        close_on_exec(signal_pipe);
        for (int i = 0; i < 2; i++) fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
    }
    for (int number = 1; number < NSIG; number++) {
        if (!is_watched(number)) continue;
        struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
        /* What we do to a terminal in its background would begin anew for ever. */
        if (number == SIGTTIN || number == SIGTTOU) action.sa_flags &= ~SA_RESTART;
        action.sa_sigaction = note_signal;
        sigfillset(&action.sa_mask);
        if (sigaction(number, &action, NULL) != 0) return -errno;
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, number);
        sigprocmask(SIG_UNBLOCK, &one, NULL);
    }
    return signal_pipe[0];
}

/* When SIGINT and SIGTERM first came while the evidence was being finished, in milliseconds; 0: not yet. */
static volatile int64_t first_interrupt, first_request;

static int64_t milliseconds(void) {
    struct timespec now = {0};
#ifdef __linux__
    clock_gettime(CLOCK_BOOTTIME, &now); /* which Swift's ContinuousClock goes by */
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Two requests that are closer together, in milliseconds, are one that came from two places. */
enum { ONE_REQUEST = 500, READING_TIME = 5000 };

/* When readers of our output need not be waited for any more, in milliseconds; 0: never. Read by other threads. */
static int64_t patience_ends;
enum { PATIENCE = 1000 };

void cs_hurry(void) {
    int64_t never = 0;
    __atomic_compare_exchange_n(
        &patience_ends, &never, milliseconds() + PATIENCE, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

int cs_patience(void) {
    int64_t end = __atomic_load_n(&patience_ends, __ATOMIC_RELAXED);
    if (!end) return -1;
    int64_t left = end - milliseconds();
    return left > 0 ? (int)left : 0;
}

/* When the reading of what the command made is to end, since somebody asked us to, in milliseconds; 0: nobody did. Read
   by other threads. */
static int64_t reading_ends;
static volatile sig_atomic_t is_reading;

/* Whoever should read it may have stopped reading; it fits where there is room for anything. */
static void tell(const char *text, size_t length) {
    struct pollfd reader = {2, POLLOUT, 0};
    ssize_t written = 0;
    if (poll(&reader, 1, 0) == 1) written = write(2, text, length);
    (void)written;
}

static void tell_of_reading(void) {
    static const char text[] = "\nintoto-run: reading for 5 more seconds; once more to stop now\n";
    tell(text, sizeof text - 1);
}

void cs_begin_reading(void) {
    __atomic_store_n(&reading_ends, 0, __ATOMIC_RELAXED);
    is_reading = 1;
    /* What came between the command's end and this. */
    int64_t asked = first_interrupt ? first_interrupt : first_request;
    if (!asked) return;
    __atomic_store_n(&reading_ends, asked + READING_TIME, __ATOMIC_RELAXED);
    tell_of_reading();
}

void cs_end_reading(void) { is_reading = 0; }

int cs_reading_is_over(void) {
    int64_t end = __atomic_load_n(&reading_ends, __ATOMIC_RELAXED);
    return end && milliseconds() >= end;
}

/* What a supervisor sends next, or an impatient user, ends the reading only: what was recorded is then kept. */
static void shorten_reading(int64_t now) {
    int64_t end = __atomic_load_n(&reading_ends, __ATOMIC_RELAXED);
    if (!end) end = now + READING_TIME;
    else if (now >= end - READING_TIME + ONE_REQUEST && now < end) end = now;
    __atomic_store_n(&reading_ends, end, __ATOMIC_RELAXED);
}

/* Only the same signal once more is somebody's wish to give up: a supervisor may send several kinds at a time, and
   one kind from two places at once. */
static void note_or_die(int number) {
    static const char finishing[] = "\nintoto-run: finishing the evidence; once more to give it up\n";
    int saved = errno;
    volatile int64_t *first = number == SIGINT ? &first_interrupt : &first_request;
    int is_news = !first_interrupt && !first_request;
    int64_t now = milliseconds();
    cs_hurry();
    if (is_reading) {
        shorten_reading(now);
        *first = now;
    } else if (!*first) {
        *first = now;
    } else if (now - *first >= ONE_REQUEST) {
        signal(number, SIG_DFL);
        raise(number); /* which ends us once we return */
        return;
    }
    if (is_news && is_reading) tell_of_reading();
    else if (is_news) tell(finishing, sizeof finishing - 1);
    errno = saved;
}

static void note_request(int number) {
    (void)number;
    int saved = errno;
    cs_hurry();
    errno = saved;
}

void cs_finish_after_signals(void) {
    for (int number = 1; number < NSIG; number++) {
        if (!is_watched(number)) continue;
        struct sigaction action = {.sa_flags = SA_RESTART};
        action.sa_handler = number == SIGINT || number == SIGTERM ? note_or_die : SIG_IGN;
        if (number == SIGHUP || number == SIGQUIT) action.sa_handler = note_request;
        if (number == SIGCHLD || number == SIGCONT || is_stop(number)) action.sa_handler = SIG_DFL;
        sigaction(number, &action, NULL);
    }
}

static int stop_of(pid_t process, int options) {
    siginfo_t information = {0};
    if (waitid(P_PID, (id_t)process, &information, WSTOPPED | WNOHANG | options) != 0) return 0;
    return information.si_pid == process ? information.si_status : 0;
}

int cs_stopped_by(pid_t process) { return stop_of(process, 0); }

static uint64_t own_processes_kibibytes;

#ifdef __linux__
static void continue_if_stopped(pid_t runner, const char *path) {
    char state = state_in(path).state;
    if (state == 'T' || state == 't') kill(runner, SIGCONT); /* 't': it is being traced */
}

/* Continues the stopped runner when `process` has gone on without it, since nobody else would, it being the process that
   was continued; and when its time is up, `deadline` in milliseconds, or never where negative. Only what may be called
   after a fork among threads is called here. */
static void __attribute__((noreturn)) watch(pid_t runner, pid_t process, int64_t deadline) {
    char runner_text[32], process_text[32];
    const char *runner_path = stat_path(runner_text, runner), *process_path = stat_path(process_text, process);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        if (getppid() != runner) _exit(0);
        int is_time = state_in(process_path).state != 'T' || (deadline >= 0 && milliseconds() >= deadline);
        if (is_time) continue_if_stopped(runner, runner_path);
        usleep(20000);
    }
}
#endif

void cs_stop_with(pid_t process, int has_own_group, int64_t limit) {
#ifdef __linux__
    int64_t deadline = limit < 0 ? -1 : milliseconds() + limit;
    pid_t runner = getpid();
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* signals to our group are not the watcher's to handle */
    pid_t watcher = fork();
    if (watcher == 0) watch(runner, process, deadline);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (watcher < 0) return; /* stopped without a watcher, we might stay so for ever */
    raise(SIGSTOP);
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    own_processes_kibibytes = cs_kibibytes(usage.ru_maxrss);
    kill(watcher, SIGKILL);
    waitpid(watcher, NULL, 0);
#else
    (void)limit;
    raise(SIGSTOP);
#endif
    /* It may have been continued before us, and have stopped once more: that we have yet to hear of. */
    if (!stop_of(process, WNOWAIT)) kill(has_own_group ? -process : process, SIGCONT);
}

int cs_is_loader_variable(const char *entry) { return strncmp(entry, "LD_", 3) == 0 || strncmp(entry, "DYLD_", 5) == 0; }

static pid_t limit_keeper; /* 0: there is none */

#ifdef __linux__
static char **loader_variables(void) {
    size_t count = 0, all = 0;
    char **variables = cs_startup_state()->environment;
    while (variables[all]) all++;
    char **loaders = calloc(all + 1, sizeof *loaders);
    for (size_t i = 0; loaders && i < all; i++)
        if (cs_is_loader_variable(variables[i])) loaders[count++] = variables[i];
    return loaders;
}

int cs_keep_limit(int64_t limit) {
    char runner[24], deadline[24];
    snprintf(runner, sizeof runner, "%d", (int)getpid());
    snprintf(deadline, sizeof deadline, "%lld", (long long)(milliseconds() + limit));
    char *arguments[] = {"intoto-run", CS_LIMIT_KEEPER_ARGUMENT, runner, deadline, NULL};
    char **environment = loader_variables();
    if (!environment) return ENOMEM;
    posix_spawnattr_t attributes;
    int error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        sigset_t all;
        sigfillset(&all);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
        error = posix_spawn(&limit_keeper, "/proc/self/exe", NULL, &attributes, arguments, environment);
        if (error != 0) limit_keeper = 0;
        posix_spawnattr_destroy(&attributes);
    }
    free(environment);
    return error;
}

/* Foundation leaves some that are not closed on exec. */
static void close_all(void) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 0u, ~0u, 0u) == 0) return;
#endif
    for (int fd = 0; fd < 65536; fd++) close(fd);
}

void cs_limit_keeper(const char *runner_text, const char *deadline_text) {
    pid_t runner = (pid_t)strtol(runner_text, NULL, 10);
    int64_t deadline = strtoll(deadline_text, NULL, 10);
    char path_text[32];
    const char *path = stat_path(path_text, runner);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_all();
    while (getppid() == runner) {
        int64_t left = deadline - milliseconds();
        if (left <= 0) continue_if_stopped(runner, path);
        poll(NULL, 0, left > 60000 ? 60000 : left > 50 ? (int)left : 50);
    }
    _exit(125);
}
#else
int cs_keep_limit(int64_t limit) {
    (void)limit;
    return 0;
}

void cs_limit_keeper(const char *runner, const char *deadline) {
    (void)runner, (void)deadline;
    _exit(125);
}
#endif

void cs_end_limit(void) {
    if (limit_keeper == 0) return;
    kill(limit_keeper, SIGKILL);
    waitpid(limit_keeper, NULL, 0);
    limit_keeper = 0;
}

int cs_is_limit_keeper(pid_t process) { return limit_keeper != 0 && process == limit_keeper; }

void cs_stop_as_asked(void) {
    struct sigaction usual = {.sa_handler = SIG_DFL}, watched;
    if (sigaction(SIGTSTP, &usual, &watched) != 0) return;
    raise(SIGTSTP);
    sigaction(SIGTSTP, &watched, NULL);
}

void cs_reap_orphans(pid_t process) {
    for (;;) {
        siginfo_t information = {0};
        /* Looked at first: the command's own end is Foundation's to take. */
        if (waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) != 0) return;
        if (information.si_pid == 0 || information.si_pid == process) return;
        waitpid(information.si_pid, NULL, WNOHANG);
        if (information.si_pid == limit_keeper) limit_keeper = 0; /* another process may get its number */
    }
}

static int wait_for(pid_t process, int options, siginfo_t *information) {
    int result;
    do result = waitid(P_PID, (id_t)process, information, WEXITED | options);
    while (result != 0 && errno == EINTR);
    return result == 0 && information->si_pid == process;
}

void cs_await_end(pid_t process) {
    siginfo_t information = {0};
    wait_for(process, WNOWAIT, &information);
}

int cs_unnoticed_end(pid_t process, int options) {
    siginfo_t information = {0};
    if (!wait_for(process, options, &information)) return -1;
    return information.si_code == CLD_EXITED ? (information.si_status & 0xFF) << 8 : information.si_status;
}

int cs_process_descriptor(pid_t process) {
#ifdef SYS_pidfd_open
    int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
    return descriptor < 0 ? -errno : descriptor;
#else
    (void)process;
    return -ENOSYS;
#endif
}

void cs_children_usage(struct cs_usage *usage) {
    struct rusage children = {0};
    getrusage(RUSAGE_CHILDREN, &children);
    usage->user_microseconds = (uint64_t)children.ru_utime.tv_sec * 1000000 + (uint64_t)children.ru_utime.tv_usec;
    usage->system_microseconds = (uint64_t)children.ru_stime.tv_sec * 1000000 + (uint64_t)children.ru_stime.tv_usec;
    usage->peak_kibibytes = (uint64_t)cs_kibibytes(children.ru_maxrss);
    usage->memory_floor_kibibytes = own_processes_kibibytes;
}

