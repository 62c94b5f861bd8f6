#include "shared.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

int cs_has_children(void) {
    siginfo_t information = {0};
    return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

static int stop_of(pid_t process, int options) {
    siginfo_t information = {0};
    if (waitid(P_PID, (id_t)process, &information, WSTOPPED | WNOHANG | options) != 0) return 0;
    return information.si_pid == process ? information.si_status : 0;
}

int cs_stopped_by(pid_t process) { return stop_of(process, 0); }

/* Ends a process of our own and takes leave of it; one that cannot be killed ends after us, and is not waited for. */
static int end_own(pid_t process) {
    if (kill(process, SIGKILL) != 0 && kill(process, SIGKILL) != 0) return 0;
    waitpid(process, NULL, 0);
    return 1;
}

static uint64_t own_processes_kibibytes;

#ifdef __linux__
static void continue_if_stopped(pid_t runner, const char *path) {
    char state = cs_state_in(path).state;
    if (state == 'T' || state == 't') kill(runner, SIGCONT); /* 't': it is being traced */
}

/* Continues the stopped runner when `process` has gone on without it, since nobody else would, it being the process that
   was continued; and when its time is up, `deadline` in milliseconds, or never where negative. Only what may be called
   after a fork among threads is called here. */
static void __attribute__((noreturn)) watch(pid_t runner, pid_t process, int64_t deadline) {
    char runner_text[32], process_text[32];
    const char *runner_path = cs_stat_path(runner_text, runner), *process_path = cs_stat_path(process_text, process);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        if (getppid() != runner) _exit(0);
        int is_time = cs_state_in(process_path).state != 'T' || (deadline >= 0 && cs_milliseconds() >= deadline);
        if (is_time) continue_if_stopped(runner, runner_path);
        usleep(20000);
    }
}
#endif

void cs_stop_with(pid_t process, int has_own_group, int64_t limit) {
#ifdef __linux__
    int64_t deadline = limit < 0 ? -1 : cs_milliseconds() + limit;
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
    end_own(watcher);
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
    snprintf(deadline, sizeof deadline, "%lld", (long long)(cs_milliseconds() + limit));
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
    const char *path = cs_stat_path(path_text, runner);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_all();
    while (getppid() == runner) {
        int64_t left = deadline - cs_milliseconds();
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
    if (end_own(limit_keeper)) limit_keeper = 0;
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

void cs_children_usage(struct cs_usage *usage) {
    struct rusage children = {0};
    getrusage(RUSAGE_CHILDREN, &children);
    usage->user_microseconds = (uint64_t)children.ru_utime.tv_sec * 1000000 + (uint64_t)children.ru_utime.tv_usec;
    usage->system_microseconds = (uint64_t)children.ru_stime.tv_sec * 1000000 + (uint64_t)children.ru_stime.tv_usec;
    usage->peak_kibibytes = (uint64_t)cs_kibibytes(children.ru_maxrss);
    usage->memory_floor_kibibytes = own_processes_kibibytes;
}
