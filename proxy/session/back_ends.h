/* Asks who knows about passwords: the users files, then the upstreams that
 * `backends` names, in their order, until one takes the login. */
#ifndef PROXY_SESSION_BACK_ENDS_H
#define PROXY_SESSION_BACK_ENDS_H

#include "proxy/login/login.h"
#include "proxy/upstream/upstream_check.h"

struct session;

/* A question under way, within its session. */
struct back_ends {
    struct login_query *query;    /* the users files are asked */
    struct upstream_check *check; /* an upstream is */
    size_t next;                  /* the back-end that comes then */
    bool was_unavailable;         /* one of those before */
    struct client_identity client;
    void (*on_answer)(struct session *s, const struct login_answer *answer);
};

/* What s->sasl holds. `on_answer` comes later, once, unless it is cancelled.
 * False: out of memory. */
bool back_ends_ask(struct session *s,
                   void (*on_answer)(struct session *s,
                                     const struct login_answer *answer));
void back_ends_cancel(struct session *s);

#endif
