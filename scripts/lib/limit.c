/* limit PASSES DIR: hashes every regular file below DIR with SHA-256, PASSES times, and does nothing else: what
   intoto-run is held to. `=BYTES` for DIR hashes so many bytes of memory, as one stream. One thread per processor, each with two files under way, hashed side by side. Prints files,
   bytes, and the exclusive or of all digests. No checks, no names, no errors: not a tool. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CSHA256.h"

enum { READ_SIZE = 512 << 10 };

/* A directory: first to be listed, then with names of files that any thread may take. */
struct directory {
    struct directory *next;
    int descriptor, count;
    atomic_int taken, users;
    char **names;
    char path[];
};

struct lane {
    struct cs256_state state;
    const uint8_t *next;
    size_t blocks;
    uint64_t length;
    int file, is_busy, is_last;
    uint8_t *buffer;
};

struct worker {
    struct directory *current;
    struct lane lanes[2];
    uint64_t files, bytes;
    uint32_t digests[8];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct directory *unlisted, *listed;
static int listing; /* directories that are unlisted or being listed */

static void add_directory(const char *parent, const char *name) {
    struct directory *directory = calloc(1, sizeof *directory + strlen(parent) + strlen(name) + 2);
    sprintf(directory->path, "%s/%s", parent, name);
    pthread_mutex_lock(&lock);
    directory->next = unlisted;
    unlisted = directory;
    listing++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void release(struct directory *directory) {
    if (atomic_fetch_sub(&directory->users, 1) > 1) return;
    close(directory->descriptor);
    for (int i = 0; i < directory->count; i++) free(directory->names[i]);
    free(directory->names);
    free(directory);
}

static void list(struct directory *directory) {
    directory->descriptor = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fdopendir(dup(directory->descriptor));
    int room = 0;
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (entry->d_type == DT_DIR) add_directory(directory->path, entry->d_name);
        if (entry->d_type != DT_REG) continue;
        if (directory->count == room) directory->names = realloc(directory->names, (room = room * 2 + 64) * sizeof(char *));
        directory->names[directory->count++] = strdup(entry->d_name);
    }
    if (stream != NULL) closedir(stream);
    directory->users = 2; /* the one who listed it, and the list */
    pthread_mutex_lock(&lock);
    directory->next = listed;
    listed = directory;
    listing--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Takes the directory off the list, if nobody did before. */
static void remove_listed(struct directory *directory) {
    int found = 0;
    pthread_mutex_lock(&lock);
    for (struct directory **link = &listed; *link != NULL && !found; link = &(*link)->next)
        if (*link == directory) {
            *link = directory->next;
            found = 1;
            break;
        }
    pthread_mutex_unlock(&lock);
    if (found) release(directory);
}

/* Another directory to take files from; 0 where there is none, now or, if `waits`, ever. */
static int find_directory(struct worker *worker, int waits) {
    pthread_mutex_lock(&lock);
    for (;;) {
        struct directory *directory = unlisted;
        if (directory != NULL) {
            unlisted = directory->next;
            pthread_mutex_unlock(&lock);
            list(directory);
            worker->current = directory;
            return 1;
        }
        directory = listed;
        while (directory != NULL && directory->taken >= directory->count) directory = directory->next;
        if (directory != NULL) {
            directory->users++;
            worker->current = directory;
        }
        if (directory != NULL || listing == 0 || !waits) {
            pthread_mutex_unlock(&lock);
            return directory != NULL;
        }
        pthread_cond_wait(&changed, &lock);
    }
}

static int open_next(struct worker *worker, int waits) {
    for (;;) {
        struct directory *directory = worker->current;
        if (directory == NULL) {
            if (!find_directory(worker, waits)) return -1;
            continue;
        }
        int index = atomic_fetch_add(&directory->taken, 1);
        if (index < directory->count) {
            int file = openat(directory->descriptor, directory->names[index], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
            if (file >= 0) return file;
            continue;
        }
        worker->current = NULL;
        remove_listed(directory);
        release(directory);
    }
}

/* Pads what is left over from whole blocks. FIPS 180-4, 5.1.1. */
static void pad(struct lane *lane, size_t count) {
    size_t end = (count + 9 + 63) / 64 * 64;
    memset(lane->buffer + count, 0, end - count);
    lane->buffer[count] = 0x80;
    for (int i = 0; i < 8; i++) lane->buffer[end - 1 - i] = (uint8_t)(lane->length * 8 >> 8 * i);
    lane->blocks = end / 64;
    lane->is_last = 1;
}

/* Gives the lane its next blocks; 0 where there is no file for it. */
static int fill(struct worker *worker, struct lane *lane, int waits) {
    if (lane->is_busy && lane->is_last) {
        for (int i = 0; i < 8; i++) worker->digests[i] ^= lane->state.words[i];
        worker->files++;
        worker->bytes += lane->length;
        lane->is_busy = 0;
    }
    if (!lane->is_busy) {
        int file = open_next(worker, waits);
        if (file < 0) return 0;
        uint8_t *buffer = lane->buffer;
        *lane = (struct lane){.file = file, .is_busy = 1, .buffer = buffer};
        cs256_init(&lane->state);
    }
    ssize_t count = read(lane->file, lane->buffer, READ_SIZE);
    if (count < 0) count = 0;
    lane->length += count;
    lane->next = lane->buffer;
    lane->blocks = READ_SIZE / 64;
    if (count < READ_SIZE) {
        pad(lane, count);
        close(lane->file);
    }
    return 1;
}

static void *work(void *argument) {
    struct worker *worker = argument;
    struct lane *a = &worker->lanes[0], *b = &worker->lanes[1];
    for (int i = 0; i < 2; i++) worker->lanes[i].buffer = aligned_alloc(4096, READ_SIZE + 4096);
    for (;;) {
        if (a->blocks == 0) fill(worker, a, !b->is_busy);
        if (b->blocks == 0) fill(worker, b, !a->is_busy);
        if (a->blocks == 0 && b->blocks == 0) return NULL;
        if (a->blocks == 0 || b->blocks == 0) {
            struct lane *lane = a->blocks == 0 ? b : a;
            cs256_compress(&lane->state, lane->next, lane->blocks);
            lane->blocks = 0;
            continue;
        }
        size_t count = a->blocks < b->blocks ? a->blocks : b->blocks;
        cs256_compress2(&a->state, a->next, &b->state, b->next, count);
        for (int i = 0; i < 2; i++) worker->lanes[i].next += count * 64, worker->lanes[i].blocks -= count;
    }
}

static void pass(const char *path) {
    long threads = sysconf(_SC_NPROCESSORS_ONLN);
    struct worker *workers = calloc(threads, sizeof *workers);
    pthread_t *handles = calloc(threads, sizeof *handles);
    add_directory(path, ".");
    for (long i = 0; i < threads; i++) pthread_create(&handles[i], NULL, work, &workers[i]);
    struct worker sum = {.files = 0};
    for (long i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
        sum.files += workers[i].files;
        sum.bytes += workers[i].bytes;
        for (int j = 0; j < 8; j++) sum.digests[j] ^= workers[i].digests[j];
        for (int j = 0; j < 2; j++) free(workers[i].lanes[j].buffer);
    }
    printf("%lu files, %lu bytes, %08x\n", sum.files, sum.bytes, sum.digests[0]);
    free(workers);
    free(handles);
}

static void hash_memory(long long bytes) {
    struct cs256_state state;
    uint8_t *buffer = calloc(1, READ_SIZE);
    cs256_init(&state);
    for (; bytes > 0; bytes -= READ_SIZE) cs256_compress(&state, buffer, READ_SIZE / 64);
    printf("%08x\n", state.words[0]);
    free(buffer);
}

int main(int count, char **arguments) {
    if (count != 3 || !cs256_available()) return 2;
    for (int i = atoi(arguments[1]); i > 0; i--) {
        if (arguments[2][0] == '=') hash_memory(atoll(arguments[2] + 1));
        else pass(arguments[2]);
    }
}
