/* The inside of a server, for the files of this folder. */
#ifndef PROXY_SERVER_SERVER_INTERNAL_H
#define PROXY_SERVER_SERVER_INTERNAL_H

#include "proxy/budgets/journal.h"
#include "proxy/control/control_verbs.h"
#include "proxy/server/server.h"
#include "proxy/worker.h"

#include <stdatomic.h>

struct server {
    struct shared shared;
    struct preflight opened;
    struct journal *journal; /* owns the ledger */
    bool has_taken_over;     /* another process's */
    struct server_means means;
    struct snapshots *snapshots;
    struct budget_fullness *fullness;
    struct controlled controlled;
    struct control_server *control_server;
    struct http_server *http; /* NULL: there is none */
    atomic_bool is_followed;  /* by another process, once retired */
    atomic_bool is_listening; /* clients are let in */
    atomic_bool is_leaving;   /* and no more: it drains or stops */
    struct worker **workers;
    size_t worker_count; /* that are to be */
    size_t made, started;
};

/* An error that time may cure: EXIT_FOUND. */
int server_fail(struct server *server, struct diags *diags, const char *words);

/* In server_http.c. Serves HTTP, if that is wanted and is not yet so. An exit
 * code. */
int server_open_http(struct server *server, struct ports *ports,
                     struct diags *diags);
void server_close_http(struct server *server);

/* In server_shared.c. Takes up another process's budgets: 0, or -1 when they
 * must be read from the disk. */
int server_attach_budgets(struct server *server);
/* Reads them, unless they were taken up. An exit code, as of the next. */
int server_open_budgets(struct server *server, struct diags *diags);
/* All else that the workers share. */
int server_open_shared(struct server *server, struct diags *diags);

#endif
