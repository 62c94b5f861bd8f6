/* Terminals: ioctl is variadic, and the rest belongs beside it. */
#include "CSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved_settings;
static int saved_descriptor = -1;

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

void cs_restore_terminal(void) {
    if (saved_descriptor >= 0) tcsetattr(saved_descriptor, TCSADRAIN, &saved_settings);
    saved_descriptor = -1;
}

int cs_make_terminal_raw(int descriptor) {
    if (tcgetattr(descriptor, &saved_settings) != 0) return errno;
    struct termios raw = saved_settings;
    cfmakeraw(&raw);
    if (tcsetattr(descriptor, TCSADRAIN, &raw) != 0) return errno;
    saved_descriptor = descriptor;
    atexit(cs_restore_terminal);
    return 0;
}
