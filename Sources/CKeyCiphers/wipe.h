#ifndef CKEYCIPHERS_WIPE_H
#define CKEYCIPHERS_WIPE_H

#include <stddef.h>

/* Through a volatile pointer, so that no compiler finds it superfluous. */
static inline void wipe(void *memory, size_t length) {
    volatile unsigned char *bytes = memory;
    while (length--) *bytes++ = 0;
}

#endif
