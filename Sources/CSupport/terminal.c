/* Terminals: ioctl is variadic, and the rest belongs beside it. */
#include "CSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved_settings;
static int saved_descriptor = -1;

int cs_own_terminal(void) {
    for (int fd = 0; fd < 3; fd++)
        if (isatty(fd)) return fd;
    return open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
}

int cs_open_terminal(int pair[2], int model, int adds_carriage_returns) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0) return errno;
    fcntl(master, F_SETFD, FD_CLOEXEC);
    const char *name = grantpt(master) == 0 && unlockpt(master) == 0 ? ptsname(master) : NULL;
    int slave = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (slave < 0) {
        int error = errno;
        close(master);
        return error;
    }
    struct termios settings;
    if (tcgetattr(model, &settings) != 0 && tcgetattr(slave, &settings) != 0) settings = saved_settings;
    if (!adds_carriage_returns) settings.c_oflag &= ~(tcflag_t)ONLCR;
    tcsetattr(slave, TCSANOW, &settings);
    cs_copy_window_size(model, slave);
    fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
    pair[0] = master;
    pair[1] = slave;
    return 0;
}

void cs_copy_window_size(int from, int to) {
    struct winsize size;
    if (ioctl(from, TIOCGWINSZ, &size) == 0) ioctl(to, TIOCSWINSZ, &size);
}

int cs_terminal_end_of_input(int descriptor) {
    struct termios settings;
    if (tcgetattr(descriptor, &settings) != 0 || !(settings.c_lflag & ICANON)) return -1;
    return settings.c_cc[VEOF];
}

int cs_terminal_stop(int descriptor) {
    struct termios settings;
    if (tcgetattr(descriptor, &settings) != 0 || !(settings.c_lflag & ISIG)) return -1;
    return settings.c_cc[VSUSP] == _POSIX_VDISABLE ? -1 : settings.c_cc[VSUSP];
}

int cs_in_foreground(int descriptor) {
    pid_t foreground = tcgetpgrp(descriptor);
    return foreground < 0 || foreground == getpgrp();
}

void cs_restore_terminal(void) {
    if (saved_descriptor >= 0 && cs_in_foreground(saved_descriptor))
        tcsetattr(saved_descriptor, TCSADRAIN, &saved_settings);
    saved_descriptor = -1;
}

int cs_make_terminal_raw(int descriptor) {
    if (saved_descriptor != descriptor && tcgetattr(descriptor, &saved_settings) != 0) return errno;
    struct termios raw = saved_settings;
    cfmakeraw(&raw);
    if (tcsetattr(descriptor, TCSADRAIN, &raw) != 0) return errno;
    saved_descriptor = descriptor;
    return 0;
}

/* --- Asking for a secret, as readpassphrase(3) does it --- */

static const int interruptions[] = {SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};
enum { interruption_count = sizeof interruptions / sizeof *interruptions };
static volatile sig_atomic_t interrupted[interruption_count];

static void note_interruption(int number) {
    for (int i = 0; i < interruption_count; i++)
        if (interruptions[i] == number) interrupted[i] = 1;
}

static int was_interrupted(void) {
    for (int i = 0; i < interruption_count; i++)
        if (interrupted[i]) return 1;
    return 0;
}

static void handle_interruptions(struct sigaction saved[interruption_count]) {
    struct sigaction action = {0};
    action.sa_handler = note_interruption; /* without SA_RESTART: reading ends */
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < interruption_count; i++) {
        interrupted[i] = 0;
        sigaction(interruptions[i], NULL, &saved[i]);
        if (saved[i].sa_handler != SIG_IGN) sigaction(interruptions[i], &action, NULL);
    }
}

/* Waits for input. A signal that comes just before must not be missed: until the wait begins, all are held back. */
static void wait_for_input(int terminal) {
    sigset_t held, before;
    sigfillset(&held);
    sigprocmask(SIG_BLOCK, &held, &before);
    if (!was_interrupted()) {
        fd_set input;
        FD_ZERO(&input);
        FD_SET(terminal, &input);
        pselect(terminal + 1, &input, NULL, NULL, NULL, &before);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static ssize_t read_line(int terminal, char *buffer, size_t size) {
    size_t length = 0;
    while (!was_interrupted()) {
        char byte;
        ssize_t count = read(terminal, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            wait_for_input(terminal);
            continue;
        }
        if (count <= 0) return -ECANCELED;
        if (byte == '\n' || byte == '\r') return length <= size ? (ssize_t)length : -EMSGSIZE;
        if (length < size) buffer[length] = byte;
        length++;
    }
    return -ECANCELED;
}

static void set_terminal(int terminal, const struct termios *settings) {
    /* In the background the change stops us; then it is made after we go on. */
    while (tcsetattr(terminal, TCSAFLUSH, settings) != 0 && errno == EINTR && !was_interrupted()) {}
}

static ssize_t ask_without_echo(int terminal, const char *prompt, char *buffer, size_t size) {
    struct termios loud, quiet;
    if (tcgetattr(terminal, &loud) != 0) return -ENXIO;
    struct sigaction saved[interruption_count];
    handle_interruptions(saved);
    quiet = loud;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    set_terminal(terminal, &quiet);
    ssize_t result = -ECANCELED;
    if (!was_interrupted() && write(terminal, prompt, strlen(prompt)) >= 0) result = read_line(terminal, buffer, size);
    ssize_t written = write(terminal, "\n", 1);
    (void)written;
    while (tcsetattr(terminal, TCSAFLUSH, &loud) != 0 && errno == EINTR) {}
    for (int i = 0; i < interruption_count; i++) sigaction(interruptions[i], &saved[i], NULL);
    return result;
}

ssize_t cs_ask_secret(const char *prompt, char *buffer, size_t size) {
    for (;;) {
        int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (terminal < 0 || terminal >= FD_SETSIZE) return -ENXIO;
        ssize_t result = ask_without_echo(terminal, prompt, buffer, size);
        close(terminal);
        int stopped = 0;
        for (int i = 0; i < interruption_count; i++) {
            if (!interrupted[i]) continue;
            raise(interruptions[i]); /* as it would have been: most end us here */
            stopped |= interruptions[i] == SIGTSTP || interruptions[i] == SIGTTIN || interruptions[i] == SIGTTOU;
        }
        if (result >= 0 || !stopped) return result;
    }
}
