/* What a command says to the running server. */
#ifndef PROXY_CONTROL_CONTROL_CLIENT_H
#define PROXY_CONTROL_CONTROL_CLIENT_H

#include <jansson.h>

#include "config/diag.h"

enum control_end {
    CONTROL_ANSWERED,   /* "ok" is true */
    CONTROL_REFUSED,    /* the server said no: its reasons were printed */
    CONTROL_UNREADABLE, /* the configuration gives no socket; printed too */
    CONTROL_UNREACHED   /* no server answers there; printed too */
};

/* Asks the server that runs with the configuration `config`; `command` is the
 * word that messages begin with. The request is taken over; *reply is owned by
 * the caller, and NULL where there is none. */
enum control_end control_ask(const char *command, const char *config,
                             json_t *request, json_t **reply);

/* The same over a connection that there is already, which stays the caller's;
 * the request too. The reply is owned by the caller; NULL: there came none. */
json_t *control_exchange(int connection, const json_t *request);

/* Asks the server at that socket and prints nothing, for whoever asks again
 * and again. A reply whose "ok" is true, owned by the caller; else NULL, and
 * why in `error`. */
json_t *control_try(const char *path, const json_t *request, int patience_ms,
                    char *error, size_t room);

#endif
