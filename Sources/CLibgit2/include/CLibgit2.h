/* libgit2 without linking it: its types, and a table of the functions that are used, found when git is first read.

   A program linked with libgit2 loads twelve more libraries at each start, which takes longer than most of what it does
   then. Functions are called through the table only; calling one by its own name does not link. */
#ifndef CLIBGIT2_H
#define CLIBGIT2_H

#include <git2.h>
#include <git2/sys/odb_backend.h>

typedef struct {
    const git_error *(*error_last)(void);

    int (*odb_new)(git_odb **);
    int (*odb_add_backend)(git_odb *, git_odb_backend *, int priority);
    int (*odb_backend_loose)(
        git_odb_backend **, const char *directory, int level, int sync, unsigned directory_mode, unsigned file_mode);
    int (*odb_backend_pack)(git_odb_backend **, const char *directory);
    int (*odb_read)(git_odb_object **, git_odb *, const git_oid *);
    int (*odb_read_header)(size_t *, git_object_t *, git_odb *, const git_oid *);
    const void *(*odb_object_data)(git_odb_object *);
    size_t (*odb_object_size)(git_odb_object *);
    git_object_t (*odb_object_type)(git_odb_object *);
    void (*odb_object_free)(git_odb_object *);
    void (*odb_free)(git_odb *);

    int (*config_new)(git_config **);
    int (*config_add_file_ondisk)(git_config *, const char *path, git_config_level_t, const git_repository *, int force);
    int (*config_multivar_iterator_new)(
        git_config_iterator **, const git_config *, const char *name, const char *expression);
    int (*config_next)(git_config_entry **, git_config_iterator *);
    void (*config_iterator_free)(git_config_iterator *);
    void (*config_free)(git_config *);
} cgit_functions;

/* Loads the very version whose types stand above, since another's may differ; fills the table, and cuts libgit2 off
   from the machine's configuration: its search paths for system, global, XDG and program data become empty. Returns 0,
   or -1 with a reason that stays valid in `*reason`. */
int cgit_load(cgit_functions *functions, const char **reason);

#endif
