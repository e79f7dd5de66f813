/* The upstreams as one worker sees them: a pool of connections each, and what
 * their EHLO said last. Belongs to one loop. */
#ifndef PROXY_UPSTREAM_UPSTREAMS_H
#define PROXY_UPSTREAM_UPSTREAMS_H

#include "config/settings.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"
#include "proxy/net/loop.h"
#include "proxy/metrics/metrics.h"
#include "proxy/net/program.h"
#include "proxy/smtp/capability.h"
#include "proxy/smtp/xclient.h"
#include "proxy/tls/tls_context.h"
#include "proxy/upstream/credential_book.h"
#include "proxy/upstream/health_board.h"

struct upstreams;

/* By the upstream's index, each: a TLS client context, NULL where it has no
 * TLS, and the credentials of its `login`, NULL where it has none. Who runs the
 * login's token_command, asked for by the upstream's name. */
struct upstream_means {
    struct tls_context *const *contexts;
    struct credential_book *const *books;
    struct program_runner runner;
};

/* All is borrowed, but for the struct upstream_means. `decisions` gets the
 * event `upstream`; NULL: nobody does. */
struct upstreams *upstreams_new(struct loop *loop,
                                const struct settings *settings,
                                const struct upstream_means *means,
                                struct server_log *log,
                                struct decision_log *decisions);

/* What becomes of the servers is posted there, as seen by that worker; before
 * upstreams_probe(). Borrows the board. */
void upstreams_report(struct upstreams *upstreams, struct health_board *board,
                      size_t worker);

/* What becomes of connections is counted there, on the worker's thread; before
 * upstreams_probe(). Borrows the lane. */
void upstreams_count_in(struct upstreams *upstreams, struct metrics_lane *lane);
/* Tells the lane how many connections there are now; once in a while. */
void upstreams_tell_counts(struct upstreams *upstreams);

/* Asks every server of every upstream for its EHLO, for at most wait_ms, then
 * calls on_probed once. Each worker does it before its listeners open. From
 * then on servers are asked again: those that are down, at growing intervals,
 * and those that nothing was heard of for long. */
void upstreams_probe(struct upstreams *upstreams, uint64_t wait_ms,
                     void (*on_probed)(void *owner), void *owner);

/* What may be promised to a client whose mail may go to `upstream`: the AND
 * over its servers that answered; never known: what Postern does itself. */
void upstreams_capabilities(const struct upstreams *upstreams,
                            const struct upstream_settings *upstream,
                            struct capabilities *out);

/* Those that its file has for the value of login.credentials.by, a copy to be
 * released; -1 when out of memory. */
int upstreams_credentials(const struct upstreams *upstreams,
                          const struct upstream_settings *upstream,
                          struct str value, struct kept_credentials *out);

/* No more mail of that client's session will come: what was connected in its
 * name (identity: proxy-v2) or logged in as it (login: {client: true}) is
 * ended. */
void upstreams_client_left(struct upstreams *upstreams,
                           const struct client_identity *client,
                           struct str session);

/* Says QUIT on idle connections and forgets them; lent ones close when they
 * come back. on_closed comes when none is left. */
void upstreams_close(struct upstreams *upstreams,
                     void (*on_closed)(void *owner), void *owner);
void upstreams_free(struct upstreams *upstreams);

#endif
