#include "CSupport.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <elf.h>
#include <link.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

void cs_trampoline(void) __attribute__((noreturn));

static struct cs_startup state;

const struct cs_startup *cs_startup_state(void) { return &state; }

static char *value_of(const char *entry, const char *name) {
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=' ? (char *)entry + length + 1 : NULL;
}

const char *cs_variable(const char *name) {
    for (char **entry = state.environment; entry && *entry; entry++) {
        const char *value = value_of(*entry, name);
        if (value) return value;
    }
    return NULL;
}

void cs_erase_variable(const char *name) {
    for (char **entry = state.environment; entry && *entry; entry++)
        for (volatile char *byte = value_of(*entry, name); byte && *byte; byte++) *byte = 0;
}

void cs_withhold_descriptor(int descriptor) {
    for (int i = 0; i < state.descriptor_count; i++) {
        if (state.descriptors[i] != descriptor) continue;
        state.descriptors[i] = state.descriptors[--state.descriptor_count];
        close(descriptor);
    }
}

static void note_signals(void) {
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number <= 64 && number < NSIG; number++) {
        struct sigaction action;
        if (sigismember(&blocked, number) == 1) state.blocked |= 1ULL << (number - 1);
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            state.ignored |= 1ULL << (number - 1);
    }
}

static void note_descriptor(int fd) {
    int flags = fcntl(fd, F_GETFD);
    if (flags == -1 || flags & FD_CLOEXEC) return;
    if (fd > state.highest_descriptor) state.highest_descriptor = fd;
    if (state.descriptor_count < CS_MAX_INHERITED) state.descriptors[state.descriptor_count++] = fd;
    else state.descriptors_lost++;
}

static void note_descriptors(void) {
    for (int fd = 0; fd < 3; fd++) state.standard_open[fd] = fcntl(fd, F_GETFD) != -1;
    state.highest_descriptor = -1;
    DIR *directory = opendir("/dev/fd");
    if (!directory) { /* no /proc here: those that there can be */
        for (int fd = 3; fd < 1024; fd++) note_descriptor(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        int fd = atoi(entry->d_name);
        if (fd >= 3 && fd != dirfd(directory)) note_descriptor(fd);
    }
    closedir(directory);
}

static char **copy_of(char **environment) {
    size_t count = 0;
    while (environment[count]) count++;
    char **copy = malloc((count + 1) * sizeof *copy);
    if (!copy) abort();
    memcpy(copy, environment, (count + 1) * sizeof *copy);
    return copy;
}

/* Large buffers go back to the system when they are freed. By default glibc keeps them, and a run on 100,000 files
   would need half as much memory again. */
static void return_large_buffers(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

/* Runs before Swift's own start-up: the trampoline must not pay for it, and what the process was given must be read
   before the runtime installs handlers or opens files. */
__attribute__((constructor(101))) static void at_start(int argc, char **argv, char **environment) {
    if (argc == 2 && strcmp(argv[1], CS_TRAMPOLINE_ARGUMENT) == 0) cs_trampoline();
    if (argc == 4 && strcmp(argv[1], CS_LIMIT_KEEPER_ARGUMENT) == 0) cs_limit_keeper(argv[2], argv[3]);
    return_large_buffers();
    state.argc = argc;
    state.argv = argv;
    state.environment = copy_of(environment);
    struct rlimit core = {0, 0}, files = {0, 0}, size = {RLIM_INFINITY, RLIM_INFINITY};
    getrlimit(RLIMIT_CORE, &core);
    state.core_soft = core.rlim_cur;
    state.core_hard = core.rlim_max;
    getrlimit(RLIMIT_NOFILE, &files);
    state.files_soft = files.rlim_cur;
    state.files_hard = files.rlim_max;
    getrlimit(RLIMIT_FSIZE, &size);
    state.size_soft = size.rlim_cur;
    state.size_hard = size.rlim_max;
    note_signals();
    note_descriptors();
    /* A crash of ours must not print memory, where a key may be, into a build's log. The command does not see this:
       it gets the copy made above. */
    setenv("SWIFT_BACKTRACE", "enable=no", 1);
}

#ifdef __linux__
struct build_id {
    uint8_t *bytes;
    size_t capacity, length;
};

static void find_in_notes(struct build_id *id, const uint8_t *notes, size_t size) {
    ElfW(Nhdr) header;
    while (size >= sizeof header) {
        memcpy(&header, notes, sizeof header);
        size_t name = (header.n_namesz + 3) & ~(size_t)3, content = (header.n_descsz + 3) & ~(size_t)3;
        if (size - sizeof header < name || size - sizeof header - name < content) return;
        const uint8_t *text = notes + sizeof header;
        if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 && memcmp(text, "GNU", 4) == 0 &&
            header.n_descsz <= id->capacity) {
            memcpy(id->bytes, text + name, header.n_descsz);
            id->length = header.n_descsz;
            return;
        }
        notes = text + name + content;
        size -= sizeof header + name + content;
    }
}

/* The first object is the executable itself: anything but 0 ends the walk there. */
static int look_at_executable(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[index];
        if (part->p_type == PT_NOTE) find_in_notes(context, (const uint8_t *)(info->dlpi_addr + part->p_vaddr), part->p_memsz);
    }
    return 1;
}

size_t cs_build_id(uint8_t *bytes, size_t capacity) {
    struct build_id id = {bytes, capacity, 0};
    dl_iterate_phdr(look_at_executable, &id);
    return id.length;
}
#else
size_t cs_build_id(uint8_t *bytes, size_t capacity) {
    (void)bytes, (void)capacity;
    return 0;
}
#endif
