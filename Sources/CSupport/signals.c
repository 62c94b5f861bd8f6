#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t *inherited;
static size_t inherited_count;

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
        process = cs_state_in(cs_stat_path(path, process)).parent;
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

int cs_is_stop(int number) { return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU; }

static volatile sig_atomic_t asked_to_end;

int cs_asked_to_end(void) { return asked_to_end; }

static int is_request(int number) {
    return number == SIGTERM || number == SIGHUP || number == SIGINT || number == SIGQUIT;
}

static void note_signal(int number, siginfo_t *information, void *context) {
    (void)context;
    int saved = errno;
    if (is_request(number) && !asked_to_end) asked_to_end = number;
    int is_groups_or_ours = number == SIGINT || number == SIGQUIT || (number == SIGHUP && !leads_session)
        || number == SIGWINCH || number == SIGXCPU || cs_is_stop(number);
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
        cs_close_on_exec(signal_pipe);
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

/* Two requests that are closer together, in milliseconds, are one that came from two places. */
enum { ONE_REQUEST = 500, READING_TIME = 5000 };

/* When readers of our output need not be waited for any more, in milliseconds; 0: never. Read by other threads. */
static int64_t patience_ends;
enum { PATIENCE = 1000 };

void cs_hurry(void) {
    int64_t never = 0;
    __atomic_compare_exchange_n(
        &patience_ends, &never, cs_milliseconds() + PATIENCE, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

int cs_patience(void) {
    int64_t end = __atomic_load_n(&patience_ends, __ATOMIC_RELAXED);
    if (!end) return -1;
    int64_t left = end - cs_milliseconds();
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
    return end && cs_milliseconds() >= end;
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
    int64_t now = cs_milliseconds();
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
        if (number == SIGCHLD || number == SIGCONT || cs_is_stop(number)) action.sa_handler = SIG_DFL;
        sigaction(number, &action, NULL);
    }
}

static void __attribute__((noreturn)) end_by(int number) {
    static const char interrupted[] = "intoto-run: error: interrupted\n";
    tell(interrupted, sizeof interrupted - 1);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    signal(number, SIG_DFL);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    _exit(128 + number); /* the first process of a container, which no signal of its own ends */
}

void cs_end_when_asked(void) {
    for (int number = 1; number < NSIG; number++) {
        if (!is_watched(number)) continue;
        struct sigaction action = {.sa_flags = SA_RESTART};
        action.sa_handler = is_request(number) ? end_by : SIG_DFL;
        sigfillset(&action.sa_mask);
        sigaction(number, &action, NULL);
    }
    if (asked_to_end) end_by(asked_to_end);
}
