/* Whether an upstream takes a login: a connection is made and logged in on.
 * Where it does, the connection rests in the pool for the mail of the same
 * session. */
#ifndef PROXY_UPSTREAM_UPSTREAM_CHECK_H
#define PROXY_UPSTREAM_UPSTREAM_CHECK_H

#include "proxy/smtp/xclient.h"
#include "proxy/upstream/upstreams.h"

struct upstream_check;

enum upstream_check_result {
    UPSTREAM_CHECK_OK,
    UPSTREAM_CHECK_REFUSED,    /* by an answer to AUTH */
    UPSTREAM_CHECK_UNAVAILABLE /* nobody could be asked */
};

/* `client` is borrowed until the answer, `credentials` within the call.
 * `on_answer` comes later, once; not after upstream_check_cancel(). NULL when
 * out of memory. */
struct upstream_check *upstream_check_start(
    struct upstreams *upstreams, const struct upstream_settings *upstream,
    const struct client_identity *client, const struct credentials *credentials,
    void (*on_answer)(void *owner, enum upstream_check_result result),
    void *owner);
void upstream_check_cancel(struct upstream_check *check);

#endif
