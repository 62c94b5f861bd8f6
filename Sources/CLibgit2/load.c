#include "CLibgit2.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static char failure[512];

static int fail(const char **reason, const char *what) {
    snprintf(failure, sizeof failure, "%s", what ? what : "unknown error");
    *reason = failure;
    return -1;
}

/* ISO C has no conversion from `void *` to a function's address; POSIX has dlsym, and this is how it is used. */
static int find(void *library, const char *name, void *place) {
    void *symbol = dlsym(library, name);
    if (!symbol) return -1;
    memcpy(place, &symbol, sizeof symbol);
    return 0;
}

/* The compiler holds each member of the table against the function's own declaration. */
#define FIND(name)                                                                                    \
    do {                                                                                              \
        _Static_assert(                                                                               \
            __builtin_types_compatible_p(__typeof__(functions->name), __typeof__(&git_##name)), #name \
        );                                                                                            \
        if (find(library, "git_" #name, &functions->name)) return fail(reason, dlerror());            \
    } while (0)

int cgit_load(cgit_functions *functions, const char **reason) {
    void *library = dlopen("libgit2.so." LIBGIT2_SOVERSION, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fail(reason, dlerror());

    int (*init)(void);
    int (*version)(int *, int *, int *);
    int (*options)(int, ...);
    if (find(library, "git_libgit2_init", &init) || find(library, "git_libgit2_version", &version) ||
        find(library, "git_libgit2_opts", &options)) return fail(reason, dlerror());
    FIND(error_last);
    FIND(odb_new);
    FIND(odb_add_backend);
    FIND(odb_backend_loose);
    FIND(odb_backend_pack);
    FIND(odb_read);
    FIND(odb_read_header);
    FIND(odb_object_data);
    FIND(odb_object_size);
    FIND(odb_object_type);
    FIND(odb_object_free);
    FIND(odb_free);
    FIND(config_new);
    FIND(config_add_file_ondisk);
    FIND(config_multivar_iterator_new);
    FIND(config_next);
    FIND(config_iterator_free);
    FIND(config_free);

    int major, minor, revision;
    version(&major, &minor, &revision);
    if (major != LIBGIT2_VER_MAJOR || minor != LIBGIT2_VER_MINOR) return fail(reason, "it is another version");
    if (init() < 0) return fail(reason, "it could not be initialised");
    const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                          GIT_CONFIG_LEVEL_GLOBAL};
    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++)
        if (options(GIT_OPT_SET_SEARCH_PATH, levels[i], "") < 0)
            return fail(reason, "it could not be cut off from the machine's configuration");
    return 0;
}
