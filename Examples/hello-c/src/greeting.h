#ifndef GREETING_H
#define GREETING_H

#include <stddef.h>

/* Writes a greeting for `name` into `line`; -1 if it does not fit into `size` bytes. */
int greet(char *line, size_t size, const char *name);

#endif
