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
    struct cs_failure failure = {stage, errno};
    ssize_t written = write(report, &failure, sizeof failure);
    _exit(written == sizeof failure ? 127 : 125);
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
        memcpy(descriptors, CMSG_DATA(header), received * sizeof(int));
    }
    if (received != plan->descriptor_count) {
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

/* Puts each descriptor where the caller of the runner had it; all else goes at execve. */
static void place_descriptors(const struct cs_plan *plan, int *descriptors, size_t count) {
    int above = 3;
    for (size_t i = 0; i < count; i++)
        if (plan->targets[i] >= above) above = plan->targets[i] + 1;
    /* First out of the way of every target, so that none is overwritten before it has moved. */
    report = fcntl(report, F_DUPFD_CLOEXEC, above);
    if (report < 0) {
        report = 0;
        fail(CS_STAGE_DESCRIPTORS);
    }
    for (size_t i = 0; i < count; i++)
        if ((descriptors[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, above)) < 0) fail(CS_STAGE_DESCRIPTORS);
    close_on_exec_from(3);
    for (int fd = 0; fd < 3; fd++) close(fd); /* one that the caller had closed stays closed */
    for (size_t i = 0; i < count; i++)
        if (dup2(descriptors[i], plan->targets[i]) < 0) fail(CS_STAGE_DESCRIPTORS);
}

/* Foundation starts every child in a process group of its own, where a read from the terminal stops it and Ctrl-C
   never reaches it. Back in the runner's, the terminal treats it as if we were not there. */
static void join_group(const struct cs_plan *plan) {
    if (plan->group > 0 && setpgid(0, plan->group) != 0) fail(CS_STAGE_GROUP);
    if (!(plan->flags & CS_FLAG_NEW_SESSION)) return;
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

static void restore_signals_and_limits(const struct cs_plan *plan) {
    sigset_t blocked;
    sigemptyset(&blocked);
    for (int number = 1; number <= 64 && number < NSIG; number++) {
        uint64_t bit = 1ULL << (number - 1);
        signal(number, plan->ignored & bit ? SIG_IGN : SIG_DFL);
        if (plan->blocked & bit) sigaddset(&blocked, number);
    }
    struct rlimit core = {plan->core_soft, plan->core_hard};
    setrlimit(RLIMIT_CORE, &core);
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
    if (getsockname(0, &address, &length) != 0 || address.sa_family != AF_UNIX) refuse();
    size_t count = receive_plan(&plan, descriptors);
    char *payload = malloc(plan.payload + 1);
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
    restore_signals_and_limits(&plan);
    if (*directory && chdir(directory) != 0) fail(CS_STAGE_DIRECTORY);
    execve(executable, arguments + 1, environment);
    if (errno == ENOEXEC) { /* a script without an interpreter line: as shells, env and nohup do */
        arguments[0] = "/bin/sh";
        arguments[1] = executable;
        execve("/bin/sh", arguments, environment);
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
