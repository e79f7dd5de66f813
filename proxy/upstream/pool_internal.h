/* The inside of a pool, for its four files and its leases: pool.c is the whole
 * of it, pool_members.c its connections, pool_waiting.c the queue, pool_watch.c
 * what becomes of its servers. For this folder only. */
#ifndef PROXY_UPSTREAM_POOL_INTERNAL_H
#define PROXY_UPSTREAM_POOL_INTERNAL_H

#include "proxy/net/timer.h"
#include "proxy/upstream/lease.h"

enum member_use {
    MEMBER_PROBING,    /* connecting to hear what its EHLO says */
    MEMBER_CONNECTING, /* for a lease */
    MEMBER_LENT,
    MEMBER_RETURNING, /* RSET, or the answer to a final dot, is due */
    MEMBER_IDLE,
    MEMBER_QUITTING
};

struct pool_member {
    struct pool *pool;
    struct pool_member *next;
    struct upstream *upstream;
    struct lease *lease; /* CONNECTING, LENT */
    size_t server;
    enum member_use use;
    bool is_reused;
};

struct pool {
    struct loop *loop;
    const struct settings *settings;
    const struct upstream_settings *upstream;
    struct tls_context *tls;
    struct server_log *log;
    const struct pool_events *events;
    void *owner;
    struct pool_member *members; /* those used last first */
    struct server_health *servers;
    struct tls_sessions *sessions; /* by server */
    size_t server_count;
    size_t live; /* members but those that say QUIT */
    struct lease *waiting, **waiting_end;
    size_t waiting_count;
    struct timer *waiting_timer;
    struct timer *watch_timer;
    bool is_watched; /* pool_probe() was called */
    bool is_closing;
};

extern const struct upstream_events pool_member_events;

/* Starts connecting. NULL when out of memory. */
struct pool_member *pool_member_new(struct pool *pool, size_t server,
                                    enum member_use use);
/* Drops its connection. */
void pool_member_free(struct pool_member *member);
/* Logs why it is given up. Between two transactions nobody waits for it, so
 * that its faults are told here alone. */
void pool_member_log(const struct pool_member *member, const char *words);
/* Parts in order, where it is between transactions and nothing came unasked. */
void pool_member_quit(struct pool_member *member);
/* A connection that is between transactions: to who waits, to rest, or away.
 */
void pool_settle(struct pool_member *member);
void pool_lend(struct pool_member *member, struct lease *lease);
/* The first server in order that was not tried and does not rest; else the
 * first that was not tried; else server_count. */
size_t pool_next_server(const struct pool *pool, uint64_t tried);
/* An idle connection to a server for that client's mail, the one used last;
 * those that something came in on unasked are dropped on the way. */
struct pool_member *pool_find_idle(struct pool *pool, size_t server,
                                   const struct client_identity *client);
/* Makes room by ending an idle connection, the one used longest ago. */
bool pool_evict_idle(struct pool *pool);

/* The queue of leases, in pool_waiting.c. */
void pool_waiting_push(struct pool *pool, struct lease *lease);
void pool_waiting_remove(struct pool *pool, struct lease *lease);
void pool_waiting_on_timer(void *owner);
/* Starts those waiting for whom there is room now. */
void pool_serve_waiting(struct pool *pool);

/* Something is known of a server: sets when one is asked next. */
void pool_watch(struct pool *pool);
void pool_watch_on_timer(void *owner);

/* Calls the event that a result other than LEASE_WAITING stands for. */
void lease_tell(struct lease *lease, enum lease_result result);

#endif
