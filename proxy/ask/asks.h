/* The policy servers as one worker sees them: questions in Postfix's policy
 * delegation protocol, one at a time over a connection, connections kept for
 * the next ones. Belongs to one loop. A server that fails is told of in the
 * server log once, and once more when it answers again.
 *
 * A connection that was kept may have been closed by its server meanwhile: a
 * question that ends so, without an octet of an answer, is asked once more
 * over a new one. */
#ifndef PROXY_ASK_ASKS_H
#define PROXY_ASK_ASKS_H

#include "config/settings.h"
#include "proxy/log/server_log.h"
#include "proxy/net/loop.h"

struct asks;
struct ask;

/* Of `settings` the policy servers are copied; `log` outlives it. NULL when out
 * of memory. */
struct asks *asks_new(struct loop *loop, const struct settings *settings,
                      struct server_log *log);
/* Asks those servers from now on; connections to one that is the same stay,
 * and questions under way are answered by whom they were put to. 0, or -1 when
 * out of memory: then those that there is no room for are not known. */
int asks_renew(struct asks *asks, const struct settings *settings);
/* No question is under way any more. */
void asks_free(struct asks *asks);

/* Either `action` is what stands behind "action=", or its p is NULL and
 * `fault` says why there is none. Valid within the call; the question is gone
 * by then, and another one may be asked. */
typedef void ask_done(void *owner, struct str action, const char *fault);

/* Asks the server of that name; for connecting and the answer there is the
 * server's own timeout, or max_ms if that is less. The request is copied.
 * `done` comes from the loop, once. NULL: out of memory, or no such server. */
struct ask *ask_start(struct asks *asks, struct str server, struct str request,
                      uint64_t max_ms, ask_done *done, void *owner);
/* Nobody waits any more: `done` will not be called. */
void ask_cancel(struct ask *ask);

/* Whether a failure of that server lets mail pass. */
bool asks_continue(const struct asks *asks, struct str server);

#endif
