/* measure FILE COMMAND...: runs the command and writes "wall-µs user-µs sys-µs peak-RSS-KiB status" to FILE.
   A program of its own, small and linked statically, because a process inherits the peak memory of the one that
   started it: measured from Python, nothing could be smaller than Python. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    FILE *out = fopen(argv[1], "w");
    struct timespec start, end;
    struct rusage used;
    int status;
    if (out == NULL || clock_gettime(CLOCK_MONOTONIC, &start) != 0) return 2;
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) < 0 || clock_gettime(CLOCK_MONOTONIC, &end) != 0) return 2;
    long long wall = (end.tv_sec - start.tv_sec) * 1000000LL + (end.tv_nsec - start.tv_nsec) / 1000;
    fprintf(out, "%lld %lld %lld %ld %d\n", wall, microseconds(used.ru_utime), microseconds(used.ru_stime),
            used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(out) == 0 ? 0 : 2;
}
