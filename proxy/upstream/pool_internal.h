/* The inside of a pool, for its files and its leases: pool.c is the whole of
 * it, pool_members.c its connections, pool_idle.c those that are idle,
 * pool_choice.c which server is taken, pool_waiting.c the queue, pool_watch.c
 * what becomes of its servers. For this folder only. */
#ifndef PROXY_UPSTREAM_POOL_INTERNAL_H
#define PROXY_UPSTREAM_POOL_INTERNAL_H

#include "proxy/net/timer.h"
#include "proxy/upstream/lease.h"

enum member_use {
    MEMBER_PROBING,    /* connecting to hear what its EHLO says */
    MEMBER_CONNECTING, /* for a lease */
    MEMBER_WARMING,    /* connecting to be a spare one */
    MEMBER_LENT,
    MEMBER_RETURNING, /* RSET, or the answer to a final dot, is due */
    MEMBER_IDLE,
    MEMBER_QUITTING
};

struct pool_member {
    struct pool *pool;
    struct pool_member *next;
    struct upstream *upstream;
    struct lease *lease;              /* CONNECTING, LENT */
    struct kept_credentials personal; /* of the lease it was made for */
    struct scram_keys keys;           /* of those */
    size_t server;
    enum member_use use;
    bool is_reused;
    bool is_spent; /* no mail will go over it again */
    uint64_t idle_since_ms;
    uint64_t started_us; /* connecting */
};

struct pool_server {
    struct server_health health;
    size_t live;                    /* members but those that say QUIT */
    size_t idle;                    /* of these */
    bool is_warming;                /* a spare one is being made */
    uint64_t spare_again_ms;        /* not before then */
    struct metrics_server *numbers; /* NULL: nobody counts */
    struct metrics_pool told;       /* of these */
};

struct pool {
    struct loop *loop;
    const struct settings *settings;
    const struct upstream_settings *upstream;
    struct tls_context *tls;
    struct credential_book *book; /* NULL: it has no login */
    uint64_t edition;             /* of the book, that `own` is of */
    struct kept_credentials own;  /* of all its mail, or none */
    struct token_source *tokens;  /* the same; NULL: none */
    struct scram_keys keys;
    struct server_log *log;
    struct metrics_lane *lane; /* NULL: nobody counts */
    const struct pool_events *events;
    void *owner;
    struct pool_member *members; /* those used last first */
    struct pool_server *servers;
    struct tls_sessions *sessions; /* by server */
    size_t server_count;
    size_t turn; /* balance: round-robin: the server that is taken next */
    struct lease *waiting, **waiting_end;
    size_t waiting_count;
    struct timer *waiting_timer;
    struct timer *watch_timer;
    struct timer *idle_timer;
    struct timer *spare_timer;
    bool is_idle_timed;
    bool is_watched; /* pool_probe() was called */
    bool is_serving; /* those waiting */
    bool is_closing;
};

extern const struct upstream_events pool_member_events;

/* Starts connecting: for a lease, with its login and in the name of its client
 * where the upstream is told so; NULL: with the pool's own login, in Postern's
 * name. NULL when out of memory. */
struct pool_member *pool_member_new(struct pool *pool, size_t server,
                                    enum member_use use,
                                    const struct lease *lease);
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
/* Whether a connection that is between transactions may serve a lease: all
 * that makes one differ from another is asked here. */
bool pool_member_suits(const struct pool_member *member,
                       const struct lease *lease);
/* An idle connection to a server that suits the lease, the one used last;
 * those that something came in on unasked are dropped on the way. */
struct pool_member *pool_find_idle(struct pool *pool, size_t server,
                                   const struct lease *lease);
/* Makes room at a server by ending an idle connection, the one used longest
 * ago. */
void pool_evict_idle(struct pool *pool, size_t server);

enum pool_choice {
    POOL_SERVER, /* there is one with room */
    POOL_FULL,   /* one has to be waited for */
    POOL_NOBODY  /* all were tried */
};

/* The server that a lease goes to now, in pool_choice.c. */
enum pool_choice pool_choose(struct pool *pool, const struct lease *lease,
                             size_t *server);
/* Whether one more connection to the server may be made, or an idle one be
 * used or ended. */
bool pool_has_room(const struct pool *pool, size_t server);

/* The queue of leases, in pool_waiting.c. */
void pool_waiting_push(struct pool *pool, struct lease *lease);
void pool_waiting_remove(struct pool *pool, struct lease *lease);
void pool_waiting_on_timer(void *owner);
/* Starts those waiting for whom there is room now. */
void pool_serve_waiting(struct pool *pool);

/* It has become idle. */
void pool_idle_note(struct pool_member *member);
void pool_idle_on_timer(void *owner);
/* Makes spare connections where some are wanting. */
void pool_spare_fill(struct pool *pool);
/* But none to this server for a while. */
void pool_spare_rest(struct pool *pool, size_t server);
void pool_spare_on_timer(void *owner);

/* Something is known of a server: sets when one is asked next. */
void pool_watch(struct pool *pool);
void pool_watch_on_timer(void *owner);

/* At a server with room: an idle connection or a new one. */
enum lease_result lease_take(struct lease *lease, size_t server);
/* The same at whichever server is to be taken, or in the queue. */
enum lease_result lease_seek(struct lease *lease);
/* Calls the event that a result other than LEASE_WAITING stands for. */
void lease_tell(struct lease *lease, enum lease_result result);

#endif
