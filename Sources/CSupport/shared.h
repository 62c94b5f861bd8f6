/* What the files of CSupport share among themselves. */
#ifndef CS_SHARED_H
#define CS_SHARED_H

#include "CSupport.h"

#include <sys/types.h>

void cs_close_on_exec(const int pair[2]);

/* The clock that Swift's ContinuousClock goes by; may be called by handlers of signals. */
int64_t cs_milliseconds(void);

/* By hand, or since somebody in our group wants a terminal in whose background that is. */
int cs_is_stop(int number);

#ifdef __linux__
struct cs_process_state {
    char state; /* 0 where there is no such process */
    pid_t parent;
};

/* "/proc/N/stat"; without the library, in whose midst a handler may be called. */
const char *cs_stat_path(char path[32], pid_t process);

/* The third and fourth field of such a file, behind the name, which may hold anything. */
struct cs_process_state cs_state_in(const char *path);
#endif

#endif
