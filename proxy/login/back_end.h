/* One who knows about logins: a kind of entry of auth.backends. Each kind is a
 * table of functions in a file of its own; login.c asks them in order. For
 * the files of this folder.
 *
 * `prepare` runs before anything is asked (and for `check`, which discards at
 * once): it reads files. What it leaves in *shared is seen by all workers and
 * locks itself. When files have changed it runs again, beside that, and `renew`
 * takes over what is new. `open` runs once a worker. */
#ifndef PROXY_LOGIN_BACK_END_H
#define PROXY_LOGIN_BACK_END_H

#include "config/files.h"
#include "proxy/login/login.h"

struct back_end_kind {
    const char *name;         /* of its key in auth.backends */
    bool claims[CLAIM_KINDS]; /* the kinds of claim that it takes */
    /* 0, or -1 with errors in diags. NULL: there is nothing to prepare. */
    int (*prepare)(const struct backend_settings *settings, struct files *files,
                   struct diags *diags, void **shared);
    /* Exchanges what files hold with `fresh`, which is discarded next. True:
     * it is something else now; the log hears of that. NULL: it has none. */
    bool (*renew)(void *shared, void *fresh, struct server_log *log);
    void (*discard)(void *shared);
    /* NULL: out of memory. */
    void *(*open)(const struct back_end_means *means,
                  const struct backend_settings *settings, void *shared);
    /* All its questions were answered or cancelled before. */
    void (*close)(void *back_end);
    /* The claim lasts until the answer or `cancel`. `then` comes later, from
     * the loop, once, and the question is gone when it is called. NULL: out
     * of memory. */
    void *(*ask)(void *back_end, const struct claim *claim, login_then *then,
                 void *owner);
    void (*cancel)(void *question);
};

extern const struct back_end_kind back_end_users;
extern const struct back_end_kind back_end_dovecot;
extern const struct back_end_kind back_end_upstream;
extern const struct back_end_kind back_end_jwt;
extern const struct back_end_kind back_end_introspect;

#endif
