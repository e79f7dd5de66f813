/* Opens what a configuration names, before anything goes live: certificates,
 * users, Maildirs, logs. `run` keeps it, `check` throws it away. */
#ifndef PROXY_PREFLIGHT_H
#define PROXY_PREFLIGHT_H

#include "config/settings.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"
#include "proxy/login/login.h"
#include "proxy/tls/tls_context.h"

/* All owned. */
struct preflight {
    struct tls_context *server_tls;  /* NULL when no listener needs it */
    struct tls_context **client_tls; /* one an upstream, by its index; NULL
                                        where it has no TLS */
    size_t client_tls_count;
    struct logins *logins;
    struct decision_log *decisions;
    struct server_log *log;
};

/* Finds all that is wrong before it gives up. 0, or -1 with errors in diags
 * and nothing left open. Starts the threads of the log and of the logins. */
int preflight_open(struct preflight *preflight, const struct settings *settings,
                   struct diags *diags);
/* The logins' clients must have been freed. Drains the logs; safe to call
 * after a failure, and twice. */
void preflight_release(struct preflight *preflight);

/* The same questions, but creates no file and keeps nothing. */
int preflight_check(const struct settings *settings, struct diags *diags);

#endif
