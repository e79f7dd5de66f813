/* The connections of one worker to one upstream: idle ones are used again, at
 * most `pool_max` to a server live at a time, and who finds none free waits in
 * a bounded queue with a deadline. What borrows is a struct lease; see lease.h.
 */
#ifndef PROXY_UPSTREAM_POOL_H
#define PROXY_UPSTREAM_POOL_H

#include "proxy/upstream/server_health.h"
#include "proxy/upstream/upstream.h"
#include "proxy/upstream/upstreams.h"

struct pool;

/* Where it tells of its servers. */
struct pool_logs {
    struct server_log *server;
    struct decision_log *decisions; /* NULL: none */
};

struct pool_events {
    /* pool_probe(): one server has answered or failed. */
    void (*on_probed)(void *owner);
    /* A connection has gone; none may be left. */
    void (*on_emptied)(void *owner);
};

struct pool *pool_new(struct loop *loop, const struct settings *settings,
                      const struct upstream_settings *upstream,
                      const struct upstream_means *means,
                      const struct pool_logs *logs,
                      const struct pool_events *events, void *owner);
/* Drops every connection. No lease may be open. */
void pool_free(struct pool *pool);

/* Changes of its servers are posted there from now on, as those of that
 * worker. Borrows the board. */
void pool_report(struct pool *pool, struct health_board *board, size_t worker);

/* See upstreams_count_in() and upstreams_tell_counts(). */
void pool_count_in(struct pool *pool, struct metrics_lane *lane);
void pool_tell_counts(struct pool *pool);

/* Connects to every server; returns how many on_probed will come. From then
 * on each is asked again in time, which brings on_probed too. */
size_t pool_probe(struct pool *pool);
/* Ends what was connected in the name of that client's connection alone. */
void pool_client_left(struct pool *pool, const struct client_identity *client,
                      struct str session);
/* QUIT to what is idle, and to each that comes back. */
void pool_close(struct pool *pool);
bool pool_is_empty(const struct pool *pool);
/* See upstreams_capabilities(). */
void pool_capabilities(const struct pool *pool, struct capabilities *out);

#endif
