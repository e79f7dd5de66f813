/* A worker process, as the supervisor sees it. */
#ifndef PROXY_SUPERVISOR_WORKER_HANDLE_H
#define PROXY_SUPERVISOR_WORKER_HANDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/settings.h"

enum worker_state {
    WORKER_NONE,      /* there is no process */
    WORKER_PREPARING, /* opens what its settings name */
    WORKER_PREPARED,  /* waits for the one before it to retire */
    WORKER_ENTERING,  /* was told to serve */
    WORKER_SERVING,
    WORKER_RETIRING, /* was told to, and still keeps the budgets */
    WORKER_RETIRED,  /* serves on if the one that comes does not */
    WORKER_DRAINING, /* its sessions end by themselves */
    WORKER_STOPPING, /* its transactions finish */
    WORKER_STATES
};

struct worker_handle {
    enum worker_state state;
    pid_t pid;
    int channel;
    int orders;                      /* where it takes connections of orders */
    const struct settings *settings; /* it serves by; a reference */
    int bundle;                      /* of the files of which they are made */
    uint64_t since_ms;               /* the state */
    uint64_t heard_ms;               /* its last sign of life */
    uint64_t kill_ms;                /* when patience ends; 0: never */
    bool has_failed;                 /* it has said why it will end */
};

const char *worker_state_name(enum worker_state state);
/* The only way to change the state. */
void worker_handle_enter(struct worker_handle *handle, enum worker_state state,
                         uint64_t now_ms);

/* Starts the program `executable`, an open descriptor, as a worker process; it
 * inherits standard output and error alone. `handle` is empty. Takes a
 * reference, and a descriptor like `bundle`. 0, or -1 with errno set. */
int worker_handle_start(struct worker_handle *handle, int executable,
                        const char *name, const struct settings *settings,
                        int bundle, uint64_t now_ms);
/* Sends {"do": what}. A worker that does not listen is as good as dead, and
 * will be seen to be. */
void worker_handle_tell(const struct worker_handle *handle, const char *what);
/* What a process that has ended leaves. */
void worker_handle_release(struct worker_handle *handle);

#endif
