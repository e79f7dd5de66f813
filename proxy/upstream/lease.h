/* How a transaction gets a connection of a pool and gives it back. Servers are
 * tried in their order or in turn, those that failed lately last. Events never
 * come from inside a call for the same lease. */
#ifndef PROXY_UPSTREAM_LEASE_H
#define PROXY_UPSTREAM_LEASE_H

#include "proxy/upstream/pool.h"

struct pool_member; /* a connection and what it is used for; the pool's own */

enum lease_result {
    LEASE_LENT,    /* lease_upstream() is there */
    LEASE_WAITING, /* on_lent or on_refused will come */
    LEASE_REFUSED  /* lease->fault says why */
};

struct lease_events {
    void (*on_lent)(void *owner);
    void (*on_refused)(void *owner);
};

/* Embedded in who borrows. */
struct lease {
    struct pool *pool;
    const struct lease_events *events;
    void *owner;
    const struct client_identity *client; /* whose mail; borrowed */
    /* What to log in with instead of the upstream's own; NULL: that.
     * Borrowed. */
    const struct credentials *credentials;
    struct pool_member *member; /* being made, or lent */
    uint64_t tried;             /* servers, as bits */
    bool is_fresh;              /* wants a new connection */
    bool is_waiting;
    uint64_t waits_until_ms;
    struct lease *next;
    struct fault fault; /* of the server that was tried last */
    struct str server;  /* the same one's name; n 0: none was tried */
};

void lease_init(struct lease *lease, struct pool *pool,
                const struct client_identity *client,
                const struct credentials *credentials,
                const struct lease_events *events, void *owner);
/* Takes an idle connection, or makes or waits for one. */
enum lease_result lease_start(struct lease *lease);
struct upstream *lease_upstream(const struct lease *lease);
/* The connection was in the pool before, and may have gone stale there. */
bool lease_is_reused(const struct lease *lease);
/* How long it took, since then (loop_clock_us()), until it answered. */
void lease_took(const struct lease *lease, enum metric_latency what,
                uint64_t since_us);
struct server_health *lease_health(const struct lease *lease);

/* The lent connection failed: drops it and starts anew with the servers that
 * were not tried. */
enum lease_result lease_next_server(struct lease *lease,
                                    const struct fault *fault);
/* The lent connection was stale: drops it and makes a new one. */
enum lease_result lease_renew(struct lease *lease);
/* The same, of one whose answers can't be believed: that is logged. */
enum lease_result lease_doubt(struct lease *lease, const char *words);
/* Ends the lease in whatever state: the connection goes back to the pool if
 * its protocol allows that, else it is dropped. */
void lease_end(struct lease *lease);
/* The same, but the connection is dropped in any case. */
void lease_drop(struct lease *lease);

#endif
