#include "CSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static void close_on_exec(const int pair[2]) {
    for (int i = 0; i < 2; i++) fcntl(pair[i], F_SETFD, FD_CLOEXEC);
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

/* Where the caller had closed 0, 1 or 2, a file of ours must not become one: what is printed would go there. */
static void plug_standard_descriptors(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1) open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY); /* takes the lowest free one */
}

void cs_prepare_runner(void) {
    plug_standard_descriptors();
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

static int signal_pipe[2] = {-1, -1};

static void note_signal(int number, siginfo_t *information, void *context) {
    (void)context;
    int saved = errno;
#ifdef SI_KERNEL
    struct cs_signal event = {number, information->si_code == SI_KERNEL};
#else
    struct cs_signal event = {number, information->si_pid == 0};
#endif
    ssize_t written = write(signal_pipe[1], &event, sizeof event); /* a full pipe holds enough of them */
    (void)written;
    errno = saved;
}

int cs_watch_signals(void) {
    static const int watched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};
    if (pipe(signal_pipe) != 0) return -errno;
    close_on_exec(signal_pipe);
    for (int i = 0; i < 2; i++) fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        if (cs_startup_state()->ignored & 1ULL << (watched[i] - 1)) continue;
        struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
        action.sa_sigaction = note_signal;
        sigfillset(&action.sa_mask);
        if (sigaction(watched[i], &action, NULL) != 0) return -errno;
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, watched[i]);
        sigprocmask(SIG_UNBLOCK, &one, NULL);
    }
    return signal_pipe[0];
}

void cs_children_usage(struct cs_usage *usage) {
    struct rusage children;
    getrusage(RUSAGE_CHILDREN, &children);
    usage->user_microseconds = (uint64_t)children.ru_utime.tv_sec * 1000000 + (uint64_t)children.ru_utime.tv_usec;
    usage->system_microseconds = (uint64_t)children.ru_stime.tv_sec * 1000000 + (uint64_t)children.ru_stime.tv_usec;
}

