/* The inside of the supervisor, for the files of this folder. */
#ifndef PROXY_SUPERVISOR_SUPERVISOR_INTERNAL_H
#define PROXY_SUPERVISOR_SUPERVISOR_INTERNAL_H

#include "proxy/control/control_server.h"
#include "proxy/control/control_verbs.h"
#include "proxy/control/files_watch.h"
#include "proxy/control/reloader.h"
#include "proxy/server/server.h"
#include "proxy/confine/confinement.h"
#include "proxy/keys/key_keeper.h"
#include "proxy/log/server_log.h"
#include "proxy/supervisor/order_queue.h"
#include "proxy/supervisor/ports.h"
#include "proxy/supervisor/programs.h"
#include "proxy/supervisor/service_manager.h"
#include "proxy/supervisor/supervisor.h"
#include "proxy/supervisor/worker_handle.h"

#include <stdatomic.h>
#include <sys/types.h>

/* One that serves, one that comes, and those that drain: when there are more
 * the oldest is stopped. */
#define WORKERS_MAX 8

enum supervisor_phase {
    SUPERVISOR_STARTING, /* nobody has served yet: a failure ends it */
    SUPERVISOR_RUNNING,
    SUPERVISOR_DRAINING, /* until the last session has ended */
    SUPERVISOR_STOPPING
};

struct supervisor {
    const char *path, *name;
    char *program;  /* owned; where an upgrade finds the next one */
    int executable; /* the program that runs, whatever is on disk now */
    pid_t pid;
    uint64_t started_ms;
    struct server_log *log;
    const char *level; /* that was ordered: "debug" or "info"; NULL: none was */
    struct service_manager manager;
    int signals; /* a signalfd */
    struct order_queue orders;
    struct control_server *control;
    struct key_keeper *keeper; /* NULL: no settings kept keys apart so far */
    struct privileges user;    /* whose files the logs are */
    struct files *files;       /* that were read at the start, until they are
                                  watched */
    struct files_watch *watch;
    struct reloader *reloader;

    /* The thread's own from here on. */
    enum supervisor_phase phase;
    const struct settings *settings; /* what is served by; a reference */
    int bundle;                      /* of the files that it is made of */
    struct ports ports;
    struct programs programs;
    struct worker_handle workers[WORKERS_MAX];
    struct worker_handle *current; /* serves, or is about to retire */
    struct worker_handle *leaving; /* served, and would again */
    struct worker_handle *coming;  /* will serve */
    struct server_memory memory;   /* of whoever served last */
    struct order *succession;      /* waits for it; NULL: nobody does */
    struct order *farewells;       /* wait for the end */
    struct order *connects;        /* wait for somebody who serves */
    struct order *renewal;         /* waits for that, or for its answer */
    bool is_renewing;              /* it was asked for */
    struct order *early;           /* came before anybody served */
    bool is_upgrade_wanted;        /* by a signal that came so early */
    struct order *upgrade;         /* waits for the check of the program */
    pid_t check;                   /* 0: there is none */
    unsigned generation;           /* of processes that were to serve */
    const char *succession_state;  /* "none", "under way", "done", "failed" */
    char succession_error[512];
    unsigned crashes;     /* in a row */
    uint64_t crash_count; /* since the server was started */
    uint64_t restart_ms;  /* when to start a process; 0: not */
    uint64_t pinged_ms, watched_ms;
    uint64_t within_ms; /* of a drain */
    int status;         /* the exit code */

    atomic_int under_way; /* orders that a worker process is at */
};

/* In supervisor.c. */
bool supervisor_is_ending(const struct supervisor *s);
void supervisor_stop_worker(struct worker_handle *handle);
void supervisor_stop(struct supervisor *s);
void supervisor_drain(struct supervisor *s, uint64_t within_ms);
void supervisor_reopen_logs(struct supervisor *s);
/* Goes on in the log of the settings. */
void supervisor_move_log(struct supervisor *s);
/* Those that are taken by reading. */
void supervisor_block_signals(void);

/* In supervisor_reload.c. Reads the disk, or, when that can't be used, what the
 * program before had: a bundle, or -1. 0, or -1 when all was told. */
int supervisor_load(struct supervisor *s, int bundle);
/* Begins to look for changes, and to take reloads. 0, or -1: out of memory or
 * threads. */
int supervisor_watch_files(struct supervisor *s);
/* Ends that; no order may be waiting for this thread. */
void supervisor_leave_files(struct supervisor *s);
/* Sockets on which a worker process has signatures made: a channel message
 * with one a thread. 0, or -1. */
int supervisor_send_keys(struct supervisor *s,
                         const struct worker_handle *handle);
json_t *supervisor_verb_reload(void *owner, const json_t *request);

/* In supervisor_succession.c. Starts a process by settings and a bundle, which
 * stay the caller's; `order`, which may be NULL, is finished when it serves, or
 * fails. */
void supervisor_succeed(struct supervisor *s, const struct settings *settings,
                        int bundle, struct order *order);
/* The process that was to come does not: whoever left comes back. */
void supervisor_fail_succession(struct supervisor *s, const char *error,
                                const json_t *diagnostics);
/* Nobody serves: whoever can does. */
void supervisor_on_gap(struct supervisor *s);
/* Whether a process was told to serve. */
bool supervisor_is_entered(const struct supervisor *s);
void supervisor_retire(const struct supervisor *s,
                       struct worker_handle *handle);
void supervisor_drop_memory(struct supervisor *s);
/* Reads what a process says. */
void supervisor_hear(struct supervisor *s, struct worker_handle *handle);

/* Whatever came of a reload: the service manager waits for this. */
void supervisor_tell_ready(const struct supervisor *s);

/* In supervisor_renewal.c. Looks after an order to go by other files. */
void supervisor_renew(struct supervisor *s);
void supervisor_on_renewed(struct supervisor *s, struct worker_handle *handle,
                           const struct channel_message *message);
/* What a process that is to come would be started by. */
void supervisor_go_by(struct supervisor *s, const struct settings *settings,
                      int bundle);

/* In supervisor_token.c. Does what a process asks for with TOKEN_ORDER. */
void supervisor_run_command(struct supervisor *s,
                            const struct worker_handle *handle,
                            struct channel_message *message);

/* In supervisor_endings.c. */
void supervisor_reap(struct supervisor *s);
void supervisor_plan_restart(struct supervisor *s, uint64_t served_ms);
/* Ends a process that is dead but for its number. */
void supervisor_watch(struct supervisor *s, struct worker_handle *handle);

/* In supervisor_orders.c. Does, or begins, what was ordered. */
void supervisor_obey(struct supervisor *s, struct order *order);
/* Looks after orders that wait for somebody who serves. */
void supervisor_connect(struct supervisor *s);
extern const struct control_verb supervisor_verbs[];

/* In supervisor_upgrade.c. */
void supervisor_upgrade(struct supervisor *s, struct order *order);
void supervisor_fail_upgrade(struct supervisor *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Where an upgrade finds the next program: as this one was called, if that is a
 * path, else where it lies now. Owned by the caller; NULL: not known. */
char *supervisor_find_program(const char *name);
/* The program on disk was tried; `status` as of waitpid(). */
void supervisor_on_checked(struct supervisor *s, int status);
/* In supervisor_legacy.c. The variable that names the descriptor of what the
 * program before this one has left. */
#define SUPERVISOR_LEGACY "POSTERN_LEGACY"

/* The descriptor, or -1 with errno set. */
int supervisor_write_legacy(const struct supervisor *s, int control);
/* Whether all that is left stays open over an exec. */
void supervisor_keep_legacy(const struct supervisor *s, int control,
                            bool is_kept);

/* What the program before this one has left; body NULL: there was none. */
struct legacy {
    json_t *body;
    int control; /* the socket for orders, or -1 */
    int bundle;  /* of the files that it had read, or -1 */
};
void supervisor_read_legacy(struct legacy *legacy);
void supervisor_inherit(struct supervisor *s, const struct legacy *legacy);
void supervisor_release_legacy(struct legacy *legacy);

#endif
