#include <stdio.h>

#include "greeting.h"

int main(int argc, char **argv) {
    char line[128];
    if (greet(line, sizeof line, argc > 1 ? argv[1] : "world") != 0) {
        fprintf(stderr, "hello: that name is too long\n");
        return 1;
    }
    return puts(line) < 0;
}
