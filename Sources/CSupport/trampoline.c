/* The trampoline stands between Foundation's Process and the command. Process starts our own executable in a process
   group of its own, with a descriptor of its own leaking in, and hands over argv as text. The trampoline undoes that:
   it takes the exact bytes and descriptors from the runner through the socket that is its standard input, rejoins the
   runner's process group, restores signals and limits, and executes the command. */
#include "CSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static int report = 0; /* the socket, wherever it was moved */

static void __attribute__((noreturn)) fail(enum cs_stage stage) {
    struct cs_failure failure = {stage, errno, 0};
    ssize_t written = write(report, &failure, sizeof failure);
    _exit(written == sizeof failure ? 127 : 125);
}

/* Without this, a trampoline that something killed would look like a command that was executed and died. */
static void announce(enum cs_stage stage) {
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    struct cs_failure ready = {stage, 0, cs_kibibytes(usage.ru_maxrss)};
    if (write(report, &ready, sizeof ready) != sizeof ready) _exit(125);
}

/* Signals are held back meanwhile: what the runner passes on of those that came before we were in its group is one with
   what has come to the group since. */
static void await_leave(void) {
    char leave;
    ssize_t count;
    do count = read(report, &leave, 1);
    while (count < 0 && errno == EINTR);
    if (count != 1) _exit(125);
}

static void __attribute__((noreturn)) refuse(void) {
    static const char message[] =
        "intoto-run: error: " CS_TRAMPOLINE_ARGUMENT ": is for intoto-run's own use\n"
        "intoto-run: hint: see intoto-run --help\n";
    ssize_t written = write(2, message, sizeof message - 1);
    _exit(written > 0 ? 125 : 126);
}

static void read_fully(void *buffer, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = read(report, (char *)buffer + done, length - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            if (count == 0) errno = EPIPE;
            fail(CS_STAGE_PLAN);
        }
        done += (size_t)count;
    }
}

/* The fixed part of the plan, and the descriptors that come with it. */
static size_t receive_plan(struct cs_plan *plan, int *descriptors) {
    char control[CMSG_SPACE((CS_MAX_INHERITED + 3) * sizeof(int))];
    struct iovec vector = {plan, sizeof *plan};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t count;
    do count = recvmsg(report, &message, 0);
    while (count < 0 && errno == EINTR);
    if (count < (ssize_t)sizeof plan->magic || plan->magic != CS_PLAN_MAGIC) refuse();
    read_fully((char *)plan + count, sizeof *plan - (size_t)count);
    if (message.msg_flags & MSG_CTRUNC) {
        errno = EMFILE;
        fail(CS_STAGE_DESCRIPTORS);
    }
    size_t received = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        received = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (received > CS_MAX_INHERITED + 3) break; /* refused below */
        memcpy(descriptors, CMSG_DATA(header), received * sizeof(int));
    }
    if (received != plan->descriptor_count || received > CS_MAX_INHERITED + 3) {
        errno = EMFILE;
        fail(CS_STAGE_DESCRIPTORS);
    }
    return received;
}

static void close_on_exec_from(int first) {
#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) == 0) return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (limit > 0 && limit < 65536 ? limit : 65536); fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags != -1) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
}

/* Moves whatever of ours stands at `target` out of the way, to the lowest place that is free. */
static void vacate(int target, int *descriptors, size_t count) {
    int *holder = report == target ? &report : NULL;
    for (size_t i = 0; i < count && !holder; i++)
        if (descriptors[i] == target) holder = &descriptors[i];
    if (!holder) return;
    int moved = fcntl(target, F_DUPFD_CLOEXEC, 0);
    if (moved < 0) fail(CS_STAGE_DESCRIPTORS);
    *holder = moved;
}

/* Puts each descriptor where the caller of the runner had it; all else goes at execve. One free place is enough, so
   that a caller's low limit on descriptors is no hindrance. */
static void place_descriptors(const struct cs_plan *plan, int *descriptors, size_t count) {
    close_on_exec_from(0);
    for (int fd = 0; fd < 3; fd++) { /* one that the caller had closed stays closed */
        vacate(fd, descriptors, count);
        close(fd);
    }
    for (size_t i = 0; i < count; i++) {
        int target = plan->targets[i], source = descriptors[i];
        if (source == target) {
            if (fcntl(target, F_SETFD, 0) < 0) fail(CS_STAGE_DESCRIPTORS);
        } else {
            descriptors[i] = -1; /* in hand: not in anybody's way */
            vacate(target, descriptors, count);
            if (dup2(source, target) < 0 || close(source) < 0) fail(CS_STAGE_DESCRIPTORS);
        }
        descriptors[i] = -1; /* in its place: never moved again */
    }
}

/* Foundation starts every child in a process group of its own, where a read from the terminal stops it and Ctrl-C
   never reaches it. Back in the runner's, the terminal treats it as if we were not there. */
static void join_group(const struct cs_plan *plan) {
    if (plan->group > 0 && setpgid(0, plan->group) != 0) fail(CS_STAGE_GROUP);
    if (plan->flags & CS_FLAG_NO_TERMINAL) {
        if (setsid() < 0) fail(CS_STAGE_GROUP);
        return;
    }
    if (!(plan->flags & CS_FLAG_NEW_SESSION)) {
        /* A group outside our process namespace has no number to join it by: then the terminal becomes ours, and the
           runner passes on what it gets. */
        if (plan->group == 0 && tcgetpgrp(0) == 0) {
            signal(SIGTTOU, SIG_IGN);
            tcsetpgrp(0, getpid());
        }
        return;
    }
    if (setsid() < 0 || ioctl(0, TIOCSCTTY, 0) != 0) fail(CS_STAGE_GROUP);
}

static void die_with_parent(const struct cs_plan *plan) {
#ifdef __linux__
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(CS_STAGE_PARENT);
#endif
    if (getppid() != plan->parent) { /* it died before the call above could see it */
        errno = ESRCH;
        fail(CS_STAGE_PARENT);
    }
}

static void hold_signals_back(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void restore_dispositions_and_limits(const struct cs_plan *plan) {
    for (int number = 1; number <= 64 && number < NSIG; number++)
        signal(number, plan->ignored & 1ULL << (number - 1) ? SIG_IGN : SIG_DFL);
    struct rlimit core = {plan->core_soft, plan->core_hard};
    setrlimit(RLIMIT_CORE, &core);
    struct rlimit size = {plan->size_soft, plan->size_hard};
    setrlimit(RLIMIT_FSIZE, &size);
    /* Descriptors that are in place by now may be above it, as they were when we got them. */
    struct rlimit files = {plan->files_soft, plan->files_hard};
    setrlimit(RLIMIT_NOFILE, &files);
}

/* What came to the group since it was joined takes effect here. */
static void restore_mask(const struct cs_plan *plan) {
    sigset_t blocked;
    sigemptyset(&blocked);
    for (int number = 1; number <= 64 && number < NSIG; number++)
        if (plan->blocked & 1ULL << (number - 1)) sigaddset(&blocked, number);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static char **next_strings(char **cursor, const char *end, uint32_t count, char **first, uint32_t spare) {
    char **strings = calloc((size_t)count + spare + 1, sizeof *strings);
    if (!strings) fail(CS_STAGE_PLAN);
    for (uint32_t i = 0; i < count; i++) {
        char *terminator = *cursor < end ? memchr(*cursor, 0, (size_t)(end - *cursor)) : NULL;
        if (!terminator) {
            errno = EINVAL;
            fail(CS_STAGE_PLAN);
        }
        strings[spare + i] = *cursor;
        *cursor = terminator + 1;
    }
    if (first) *first = count ? strings[spare] : NULL;
    return strings;
}

void cs_trampoline(void) {
    static struct cs_plan plan;
    int descriptors[CS_MAX_INHERITED + 3];
    struct sockaddr address;
    socklen_t length = sizeof address;
    hold_signals_back();
    if (getsockname(0, &address, &length) != 0 || address.sa_family != AF_UNIX) refuse();
    size_t count = receive_plan(&plan, descriptors);
    char *payload = plan.payload < 1UL << 30 ? malloc(plan.payload + 1) : NULL;
    if (!payload) fail(CS_STAGE_PLAN);
    read_fully(payload, plan.payload);

    char *cursor = payload, *end = payload + plan.payload, *directory, *executable;
    next_strings(&cursor, end, 1, &directory, 0);
    next_strings(&cursor, end, 1, &executable, 0);
    char **arguments = next_strings(&cursor, end, plan.argument_count, NULL, 1);
    char **environment = next_strings(&cursor, end, plan.environment_count, NULL, 0);

    place_descriptors(&plan, descriptors, count);
    join_group(&plan);
    die_with_parent(&plan);
    restore_dispositions_and_limits(&plan);
    if (*directory && chdir(directory) != 0) fail(CS_STAGE_DIRECTORY);
    announce(CS_STAGE_READY);
    await_leave();
    restore_mask(&plan);
    execve(executable, arguments + 1, environment);
    /* A script without an interpreter line: as shells, env and nohup do. */
    if (errno == ENOEXEC && !(plan.flags & CS_FLAG_NO_SHELL)) {
        announce(CS_STAGE_SHELL);
        arguments[0] = CS_SHELL;
        arguments[1] = executable;
        execve(CS_SHELL, arguments, environment);
    }
    fail(CS_STAGE_EXEC);
}

int cs_send_plan(int socket, const struct cs_plan *plan, const int *descriptors, const void *payload, size_t length) {
    char control[CMSG_SPACE((CS_MAX_INHERITED + 3) * sizeof(int))];
    memset(control, 0, sizeof control);
    struct iovec vector = {(void *)plan, sizeof *plan};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (plan->descriptor_count > 0) {
        size_t size = plan->descriptor_count * sizeof(int);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    ssize_t count;
    do count = sendmsg(socket, &message, 0);
    while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof *plan) return count < 0 ? errno : EPIPE;
    for (size_t done = 0; done < length;) {
        count = write(socket, (const char *)payload + done, length - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        done += (size_t)count;
    }
    return 0;
}
