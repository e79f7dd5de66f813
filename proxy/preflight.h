/* Opens what a configuration names, before anything goes live: certificates,
 * users, Maildirs, logs. `run` keeps it, `check` throws it away. */
#ifndef PROXY_PREFLIGHT_H
#define PROXY_PREFLIGHT_H

#include "config/files.h"
#include "config/settings.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"
#include "proxy/login/login.h"
#include "proxy/tls/key_set.h"
#include "proxy/tls/tls_context.h"
#include "proxy/upstream/credential_book.h"

#include <time.h>

/* All owned. */
struct preflight {
    const struct settings *settings;  /* borrowed */
    struct tls_context *certificates; /* of all listeners; NULL when none of
                                         them needs it */
    struct tls_context **server_tls;  /* by the listener's index, some the
                                         same; NULL: no listener needs it */
    struct tls_context **client_tls;  /* one an upstream, by its index; NULL
                                         where it has no TLS */
    struct credential_book **books;   /* the same; NULL where it has no login */
    size_t upstream_count;            /* of those two */
    struct logins *logins;
    struct decision_log *decisions;
    struct server_log *log;
    bool has_keys;     /* also those that settings keep apart */
    time_t dates_told; /* when certificates that end were last told of */
};

/* Finds all that is wrong before it gives up. 0, or -1 with errors in diags
 * and nothing left open. Starts the threads of the log and of the logins.
 * Nothing of `files` is kept. */
int preflight_open(struct preflight *preflight, const struct settings *settings,
                   struct files *files, struct diags *diags);
/* Reads all files again, those of `fresh`: settings whose server's part is as
 * it was. Where all of them can be used, all are taken up: new handshakes and
 * logins go by them, who is through goes on. Else nothing changes: -1 with
 * errors in diags. Any thread, one at a time. */
int preflight_renew(struct preflight *preflight, const struct settings *fresh,
                    struct files *files, struct diags *diags);
/* The logins' clients must have been freed. Drains the logs; safe to call
 * after a failure, and twice. */
void preflight_release(struct preflight *preflight);

/* Tells the server log of certificates that end soon, once a day. */
void preflight_tell_of_dates(struct preflight *preflight, time_t now);

/* The same questions, but creates no file and keeps nothing, unless `keys` is
 * given: then it gets those of the listeners' certificates, where there are
 * any; the caller's, who has set it to NULL. */
int preflight_check(const struct settings *settings, struct files *files,
                    struct key_set **keys, struct diags *diags);

#endif
