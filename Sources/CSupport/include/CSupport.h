/* The little C that Swift cannot say; each function states why it is here. */
#ifndef CSUPPORT_H
#define CSUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- startup.c: what the process was given, read before any other code can change it --- */

/* Most descriptors above 2 that are handed on to the command. */
#define CS_MAX_INHERITED 200

struct cs_startup {
    int argc;
    char **argv;          /* bytes, which Swift's CommandLine.arguments are not */
    char **environment;   /* the caller's, before anything of ours */
    uint64_t ignored;     /* bit N-1: signal N came ignored */
    uint64_t blocked;     /* bit N-1: signal N came blocked */
    uint64_t core_soft, core_hard;  /* RLIMIT_CORE */
    uint64_t files_soft, files_hard;  /* RLIMIT_NOFILE */
    uint64_t size_soft, size_hard;  /* RLIMIT_FSIZE */
    int highest_descriptor; /* of those that are inherited, -1 without; it may be above the soft limit */
    int descriptor_count; /* inherited descriptors above 2 without FD_CLOEXEC: a jobserver's, a shell's <(...) */
    int descriptors[CS_MAX_INHERITED];
    int descriptors_lost; /* further ones that did not fit */
    int standard_open[3]; /* whether 0, 1 and 2 were open */
};

const struct cs_startup *cs_startup_state(void);

/* The value of a variable, where the system has put it; NULL where it is not set. */
const char *cs_variable(const char *name);

/* Overwrites the value of every variable of this name, so that neither /proc nor a process that we start shows it. */
void cs_erase_variable(const char *name);

/* Closes an inherited descriptor that held a secret, so that the command does not get it. */
void cs_withhold_descriptor(int descriptor);

/* The build id that the linker left in our executable, read from our own memory: in C, since the loader's structures
   are walked. Returns its length, 0 where there is none or it does not fit. */
size_t cs_build_id(uint8_t *bytes, size_t capacity);

/* --- trampoline.c: the other half of a launch --- */

/* The one argument of our executable that makes it the trampoline. */
#define CS_TRAMPOLINE_ARGUMENT "--intoto-exec"

enum cs_stage {
    CS_STAGE_READY,        /* no failure: the next thing is execve */
    CS_STAGE_SHELL,        /* no failure: the program is a script without an interpreter line; the shell is next */
    CS_STAGE_PLAN,         /* reading the plan */
    CS_STAGE_DESCRIPTORS,  /* putting descriptors in place */
    CS_STAGE_GROUP,        /* joining the runner's process group, or a session of its own */
    CS_STAGE_PARENT,       /* the runner is gone */
    CS_STAGE_DIRECTORY,    /* chdir */
    CS_STAGE_EXEC          /* execve */
};

enum cs_flags {
    CS_FLAG_NEW_SESSION = 1, /* a session of its own, its standard input the controlling terminal */
    CS_FLAG_NO_TERMINAL = 2, /* a session of its own without a terminal */
    CS_FLAG_NO_SHELL = 4,    /* a script without an interpreter line is no program */
};

/* Fixed part of the plan; `payload` bytes follow: directory, executable, argv and environment, each NUL-terminated. */
struct cs_plan {
    uint64_t magic;
    uint32_t flags;
    uint32_t argument_count;
    uint32_t environment_count;
    uint32_t descriptor_count;
    int32_t parent;
    int32_t group;
    uint64_t ignored, blocked, core_soft, core_hard, files_soft, files_hard, size_soft, size_hard;
    uint64_t payload;
    int32_t targets[CS_MAX_INHERITED + 3]; /* where the descriptors that come along are put */
};

#define CS_PLAN_MAGIC 0x696e746f746f0001ULL

/* The shell that runs a script without an interpreter line. */
#define CS_SHELL "/bin/sh"

/* What the trampoline answers: that it is ready to execute the command, and why it could not. */
struct cs_failure {
    int32_t stage;
    int32_t error;
    int64_t peak_kibibytes; /* with stages that are no failure: memory that the kernel counts as the process's so far */
};

/* Sends the plan, its descriptors (SCM_RIGHTS is a macro matter) and the payload. 0, or an errno. */
int cs_send_plan(int socket, const struct cs_plan *plan, const int *descriptors, const void *payload, size_t length);

/* --- process.c: what this process has, and may have --- */

/* A pair of connected stream sockets, closed on exec. 0 or an errno. */
int cs_socket_pair(int pair[2]);

/* A pipe, closed on exec; the reading end does not block. 0 or an errno. */
int cs_capture_pipe(int pair[2]);

/* A pipe, closed on exec; the writing end does not block. 0 or an errno. */
int cs_feed_pipe(int pair[2]);

/* `ru_maxrss` in KiB, whatever the system counts it in. */
int64_t cs_kibibytes(long maxrss);

/* The first number that no descriptor can have: the soft limit. */
uint64_t cs_descriptor_limit(void);

/* Whether so many more descriptors can be open. */
int cs_can_open(int count);

/* Whether this user may have so many more threads, where the limit on them is a low one, or there is one on the space for
   their stacks; otherwise it is not tried. */
int cs_can_start_threads(int count);

/* Bytes that can be read from a pipe or terminal without waiting. */
int cs_available(int descriptor);

/* Readies this process for holding a key and for waiting: standard descriptors plugged, not dumpable, no core file, orphans of the command come
   to us, SIGCHLD as it must be for waiting, SIGPIPE and SIGXFSZ ignored, the soft limit on descriptors above the inherited
   ones as far as the hard one lets it, that on the size of files at the hard one. */
void cs_prepare_runner(void);

/* Whether our caller's soft limit on the size of files holds for us, as it must where we write what the command would have
   written; else the hard one does. */
void cs_limit_file_size(int is_limited);

/* Whether orphans of what we start come to us, as the command's do after cs_prepare_runner. */
void cs_adopt_orphans(int adopts);

/* A descriptor that is readable once `process`, a child or a descendant, has ended; negative: -errno. */
int cs_process_descriptor(pid_t process);

/* --- signals.c --- */

/* Says which processes a shell left below us when it became us by exec: a signal of theirs is none of the command's. Once,
   before signals are watched. */
void cs_note_inherited(const pid_t *processes, size_t count);

/* Signals that reach us, and SIGCHLD, arrive on the returned descriptor as struct cs_signal; signals that came ignored
   stay so. Negative: -errno. */
int cs_watch_signals(void);

struct cs_signal {
    int32_t number;
    int16_t is_from_kernel;  /* it sent it to the whole foreground group, so that the command has it already; or because of
                                our own use of the processor */
    int16_t is_from_command; /* a process of it sent it to its group: the same */
    int16_t is_for_tree; /* another runner sent it, to each process below it, and so to those of the command */
};

/* Sends a signal to one process of the command's, of all that get it. What kill returns. */
int cs_signal_tree_member(pid_t process, int number);

/* From here on a first SIGINT or SIGTERM is only noted, since the evidence is being finished; the same one once more, at
   least half a second later, ends us. */
void cs_finish_after_signals(void);

/* Which of SIGTERM, SIGHUP, SIGINT and SIGQUIT came first while signals were watched; 0: none did. */
int cs_asked_to_end(void);

/* From here on these four end us, as they would of themselves, with one line that says so; at once where one came while
   signals were watched. For work that leaves nothing to finish. */
void cs_end_when_asked(void);

/* From here on readers of our output are waited for no longer than a second: the command's end was forced or asked for. */
void cs_hurry(void);

/* How many milliseconds a reader of our output may still take, negative: as long as it likes. That ends a second after
   cs_hurry, or after a request to end that came after cs_finish_after_signals. From any thread. */
int cs_patience(void);

/* Between the two, where cs_finish_after_signals was called, a first SIGINT or SIGTERM leaves the reading five seconds;
   another one, at least half a second later, ends it at once, and never us. */
void cs_begin_reading(void);
void cs_end_reading(void);

/* Whether the reading that is under way is to end. From any thread. */
int cs_reading_is_over(void);

/* --- children.c: their stops, their ends, and a process that holds a time limit --- */

/* Whether we have children, ended ones included. */
int cs_has_children(void);

/* The signal that has stopped child `process` since the last call, or 0. Takes no news of its end from anybody. */
int cs_stopped_by(pid_t process);

/* Stops us, as `process` is stopped, until somebody continues us or it, then both go on, and its process group where that
   is its own; for no longer than `limit` milliseconds where that is not negative. Where nobody can be there to continue
   us, it stops nothing. */
void cs_stop_with(pid_t process, int has_own_group, int64_t limit);

/* Stops us as SIGTSTP does those that do not watch it. */
void cs_stop_as_asked(void);

/* Sees to it that we go on `limit` milliseconds from now, should we be stopped then: SIGSTOP to our whole process group
   leaves nobody else who could hold a time limit. A process of ours does it, in a group of its own, which is none of the
   command's, until cs_end_limit or our own end. 0 or an errno. */
int cs_keep_limit(int64_t limit);
void cs_end_limit(void);
int cs_is_limit_keeper(pid_t process);

/* The first of two arguments that make our executable that process; our own process id and the time follow. */
#define CS_LIMIT_KEEPER_ARGUMENT "--intoto-limit"
void cs_limit_keeper(const char *runner, const char *deadline) __attribute__((noreturn));

/* Whether an entry of an environment, NAME=VALUE, is for the dynamic loader: what starts our executable anew needs these. */
int cs_is_loader_variable(const char *entry);

/* Takes leave of ended children other than `process`: orphans of the command that came to us. */
void cs_reap_orphans(pid_t process);

/* Returns when child `process` has ended, at once where that has been taken; leaves it to be taken. */
void cs_await_end(pid_t process);

/* Waits for child `process`, unless `options` are WNOHANG, and takes its end, as waitpid(2) says it; -1 where that has been
   taken, or has not come. Not to be asked again once it was taken. */
int cs_unnoticed_end(pid_t process, int options);

/* What the command's tree used, as far as it was waited for. A peak at or below the floor may be our own. */
struct cs_usage {
    uint64_t user_microseconds, system_microseconds;
    uint64_t peak_kibibytes, memory_floor_kibibytes;
};
void cs_children_usage(struct cs_usage *usage);

/* --- terminal.c --- */

/* Our terminal: the first of 0, 1 and 2 that is one, or else /dev/tty, newly opened; -1 without. */
int cs_own_terminal(void);

/* A new terminal: its controlling side, which does not block, and the side for the command, set up like `model` where
   that is a terminal. 0 or an errno. */
int cs_open_terminal(int pair[2], int model, int adds_carriage_returns);

/* Does nothing where `from` is no terminal. */
void cs_copy_window_size(int from, int to);

/* The character that ends input on the terminal, or -1 where it reads byte by byte. */
int cs_terminal_end_of_input(int descriptor);

/* Whether changes and reads of a terminal would not stop us: we are in its foreground, or it is not our session's. */
int cs_in_foreground(int descriptor);

/* The character that stops a terminal's foreground, or -1 where none does. */
int cs_terminal_stop(int descriptor);

/* Every byte typed goes through as it is, until cs_restore_terminal; more than once, the settings found first are those
   that come back. 0 or an errno. */
int cs_make_terminal_raw(int descriptor);
/* Leaves the terminal alone where it is somebody else's by now. */
void cs_restore_terminal(void);

/* Asks on the terminal, without echo, for a line that fits into `size` bytes; whatever signal comes meanwhile finds the
   echo on again. The line's length, or a negative errno: -ENXIO without a terminal, -EMSGSIZE where it is longer,
   -ECANCELED where input ended or a signal came that ended nothing. */
ssize_t cs_ask_secret(const char *prompt, char *buffer, size_t size);

#endif
