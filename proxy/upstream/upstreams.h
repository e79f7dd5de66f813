/* The upstreams as one worker sees them: a pool of connections each, and what
 * their EHLO said last. Belongs to one loop. */
#ifndef PROXY_UPSTREAM_UPSTREAMS_H
#define PROXY_UPSTREAM_UPSTREAMS_H

#include "config/settings.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"
#include "proxy/net/loop.h"
#include "proxy/smtp/capability.h"
#include "proxy/tls/tls_context.h"
#include "proxy/upstream/health_board.h"

struct upstreams;

/* `contexts`: a TLS client context for each upstream of the settings by its
 * index, NULL where it has no TLS; borrowed, like all else. `decisions` gets
 * the event `upstream`; NULL: nobody does. */
struct upstreams *upstreams_new(struct loop *loop,
                                const struct settings *settings,
                                struct tls_context *const *contexts,
                                struct server_log *log,
                                struct decision_log *decisions);

/* What becomes of the servers is posted there, as seen by that worker; before
 * upstreams_probe(). Borrows the board. */
void upstreams_report(struct upstreams *upstreams, struct health_board *board,
                      size_t worker);

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

/* Says QUIT on idle connections and forgets them; lent ones close when they
 * come back. on_closed comes when none is left. */
void upstreams_close(struct upstreams *upstreams,
                     void (*on_closed)(void *owner), void *owner);
void upstreams_free(struct upstreams *upstreams);

#endif
