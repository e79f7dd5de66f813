/* A member is in one list from its connect to its end; what it is used for
 * decides what its events mean. Members that say QUIT no longer count. */
#include "proxy/upstream/pool_internal.h"

#include <assert.h>
#include <stdlib.h>

static void unlink_member(struct pool_member *member)
{
    struct pool_member **at = &member->pool->members;
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
}

static void link_member(struct pool_member *member)
{
    member->next = member->pool->members;
    member->pool->members = member;
}

void pool_member_free(struct pool_member *member)
{
    struct pool *pool = member->pool;
    if (member->use != MEMBER_QUITTING)
        pool->live--;
    unlink_member(member);
    upstream_free(member->upstream);
    free(member);
    pool->events->on_emptied(pool->owner);
}

void pool_member_log(const struct pool_member *member, const char *words)
{
    const struct server_health *server = &member->pool->servers[member->server];
    server_log_write(member->pool->log, SERVER_INFO,
                     "upstream %.*s: server %.*s: a connection is given up: %s",
                     (int)server->upstream.n, server->upstream.p,
                     (int)server->server.n, server->server.p, words);
}

void pool_member_quit(struct pool_member *member)
{
    if (!upstream_is_clean(member->upstream)) {
        pool_member_log(member, "it spoke unasked");
        pool_member_free(member);
        return;
    }
    member->use = MEMBER_QUITTING;
    member->pool->live--;
    upstream_quit(member->upstream);
}

static void on_member_ready(void *owner)
{
    struct pool_member *member = owner;
    struct pool *pool = member->pool;
    if (member->use == MEMBER_RETURNING) {
        pool_settle(member);
        return;
    }
    server_health_up(&pool->servers[member->server],
                     upstream_capabilities(member->upstream));
    pool_watch(pool);
    if (member->use == MEMBER_PROBING) {
        pool_settle(member);
        pool->events->on_probed(pool->owner);
        return;
    }
    assert(member->use == MEMBER_CONNECTING);
    member->use = MEMBER_LENT;
    member->lease->events->on_lent(member->lease->owner);
}

/* Only of a connection that came back with the final dot unanswered. */
static void on_member_reply(void *owner, enum upstream_state asked,
                            const struct reply *reply)
{
    struct pool_member *member = owner;
    struct pool *pool = member->pool;
    (void)asked;
    (void)reply;
    if (upstream_state(member->upstream) == UPSTREAM_READY)
        pool_settle(member);
    else
        pool_member_free(member);
    pool_serve_waiting(pool);
}

static void on_member_room(void *owner)
{
    (void)owner;
}

static void on_member_failed(void *owner, enum upstream_state in,
                             const struct fault *fault)
{
    struct pool_member *member = owner;
    struct pool *pool = member->pool;
    struct lease *lease = member->lease;
    enum member_use use = member->use;
    size_t server = member->server;
    (void)in;
    /* That it was closed is no fault. */
    if ((use == MEMBER_IDLE || use == MEMBER_RETURNING) &&
        (fault->kind == FAULT_PROTOCOL || fault->kind == FAULT_SILENT))
        pool_member_log(member, fault->words);
    if (use == MEMBER_PROBING || use == MEMBER_CONNECTING)
        server_health_down(&pool->servers[server], fault->words);
    if (lease != NULL) {
        lease->fault = *fault;
        lease->tried |= 1ULL << server;
        lease->member = NULL;
    }
    pool_member_free(member);
    pool_watch(pool);
    if (lease != NULL)
        lease_tell(lease, lease_start(lease));
    pool_serve_waiting(pool);
    if (use == MEMBER_PROBING)
        pool->events->on_probed(pool->owner);
}

const struct upstream_events pool_member_events = {
    .on_ready = on_member_ready,
    .on_reply = on_member_reply,
    .on_room = on_member_room,
    .on_failed = on_member_failed,
};

struct pool_member *pool_member_new(struct pool *pool, size_t server,
                                    enum member_use use)
{
    struct pool_member *member = calloc(1, sizeof(*member));
    if (member == NULL)
        return NULL;
    struct upstream_target target = {
        .loop = pool->loop,
        .settings = pool->settings,
        .upstream = pool->upstream,
        .server = &pool->upstream->servers[server],
        .tls = pool->tls,
        .sessions = &pool->sessions[server],
        .log = pool->log,
    };
    member->upstream = upstream_start(&target, &pool_member_events, member);
    if (member->upstream == NULL) {
        free(member);
        return NULL;
    }
    member->pool = pool;
    member->server = server;
    member->use = use;
    link_member(member);
    pool->live++;
    return member;
}

void pool_lend(struct pool_member *member, struct lease *lease)
{
    member->use = MEMBER_LENT;
    member->is_reused = true;
    member->lease = lease;
    lease->member = member;
    lease->server = member->pool->servers[member->server].server;
}

static bool lease_accepts(const struct lease *lease,
                          const struct pool_member *member)
{
    return !lease->is_fresh && (lease->tried & (1ULL << member->server)) == 0 &&
           upstream_suits(member->upstream, lease->client);
}

/* What we would let it serve, and what it says it would: RFC 9422 3.1. */
static uint64_t most_transactions(const struct pool_member *member)
{
    uint64_t ours = member->pool->upstream->pool_transactions;
    uint64_t theirs = upstream_capabilities(member->upstream)->mail_max;
    return theirs > 0 && theirs < ours ? theirs : ours;
}

/* A connection that is between transactions: to who waits, to rest, or away. */
void pool_settle(struct pool_member *member)
{
    struct pool *pool = member->pool;
    const struct upstream_settings *settings = pool->upstream;
    struct lease *lease = pool->waiting;
    bool may_stay =
        !pool->is_closing && upstream_is_clean(member->upstream) &&
        upstream_transactions(member->upstream) < most_transactions(member) &&
        pool->live <= settings->pool_max &&
        (lease == NULL || lease_accepts(lease, member));
    if (!may_stay) {
        pool_member_quit(member);
        pool_serve_waiting(pool);
        return;
    }
    unlink_member(member);
    link_member(member);
    member->use = MEMBER_IDLE;
    if (lease == NULL)
        return;
    pool_waiting_remove(pool, lease);
    pool_lend(member, lease);
    lease->events->on_lent(lease->owner);
}

/* An idle connection to a server for that client's mail, the one used last;
 * those that something came in on unasked are dropped on the way. */
struct pool_member *pool_find_idle(struct pool *pool, size_t server,
                                   const struct client_identity *client)
{
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use != MEMBER_IDLE || m->server != server)
            continue;
        if (!upstream_is_clean(m->upstream))
            pool_member_free(m);
        else if (upstream_suits(m->upstream, client))
            return m;
    }
    return NULL;
}

/* Makes room by ending an idle connection, the one used longest ago. */
bool pool_evict_idle(struct pool *pool)
{
    struct pool_member *last = NULL;
    for (struct pool_member *m = pool->members; m != NULL; m = m->next)
        if (m->use == MEMBER_IDLE)
            last = m;
    if (last == NULL)
        return false;
    pool_member_quit(last);
    return true;
}
