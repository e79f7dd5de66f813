/* A member is in one list from its connect to its end; what it is used for
 * decides what its events mean. Members that say QUIT no longer count. */
#include "proxy/upstream/pool.h"

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

static void member_quit(struct pool_member *member)
{
    if (!upstream_is_clean(member->upstream)) {
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
    if (use == MEMBER_PROBING || use == MEMBER_CONNECTING)
        server_health_down(&pool->servers[server], loop_now_ms(pool->loop),
                           fault->words);
    if (lease != NULL) {
        lease->fault = *fault;
        lease->tried |= 1ULL << server;
        lease->member = NULL;
    }
    pool_member_free(member);
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

/* A connection that is between transactions: to who waits, to rest, or away. */
void pool_settle(struct pool_member *member)
{
    struct pool *pool = member->pool;
    const struct upstream_settings *settings = pool->upstream;
    struct lease *lease = pool->waiting;
    bool may_stay =
        !pool->is_closing && upstream_is_clean(member->upstream) &&
        upstream_transactions(member->upstream) < settings->pool_transactions &&
        pool->live <= settings->pool_max &&
        (lease == NULL || lease_accepts(lease, member));
    if (!may_stay) {
        member_quit(member);
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

/* The first server in order that was not tried and does not rest; else the
 * first that was not tried; else server_count. */
size_t pool_next_server(const struct pool *pool, uint64_t tried)
{
    uint64_t now = loop_now_ms(pool->loop);
    size_t resting = pool->server_count;
    for (size_t i = 0; i < pool->server_count; i++) {
        if ((tried & (1ULL << i)) != 0)
            continue;
        if (!server_health_rests(&pool->servers[i], now))
            return i;
        if (resting == pool->server_count)
            resting = i;
    }
    return resting;
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
    member_quit(last);
    return true;
}

struct pool *pool_new(struct loop *loop, const struct settings *settings,
                      const struct upstream_settings *upstream,
                      struct tls_context *tls, struct server_log *log,
                      const struct pool_events *events, void *owner)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    /* Leases keep those they tried as bits. */
    assert(upstream->server_count <= UPSTREAM_SERVERS_MAX);
    *pool = (struct pool){
        .loop = loop,
        .settings = settings,
        .upstream = upstream,
        .tls = tls,
        .log = log,
        .events = events,
        .owner = owner,
        .server_count = upstream->server_count,
        .waiting_end = &pool->waiting,
    };
    pool->servers = calloc(pool->server_count, sizeof(*pool->servers));
    pool->waiting_timer = timer_new(loop, pool_waiting_on_timer, pool);
    if (pool->servers == NULL || pool->waiting_timer == NULL) {
        pool_free(pool);
        return NULL;
    }
    for (size_t i = 0; i < pool->server_count; i++)
        pool->servers[i] = (struct server_health){
            .upstream = upstream->name,
            .server = upstream->servers[i].text,
            .log = log,
        };
    return pool;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        assert(m->lease == NULL);
        upstream_free(m->upstream);
        free(m);
    }
    timer_free(pool->waiting_timer);
    free(pool->servers);
    free(pool);
}

size_t pool_probe(struct pool *pool)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->server_count; i++)
        if (pool_member_new(pool, i, MEMBER_PROBING) != NULL)
            count++;
    return count;
}

void pool_close(struct pool *pool)
{
    pool->is_closing = true;
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use == MEMBER_IDLE)
            member_quit(m);
        else if (m->use == MEMBER_PROBING)
            pool_member_free(m);
    }
}

bool pool_is_empty(const struct pool *pool)
{
    return pool->members == NULL;
}

/* The AND over the servers that are up, or over all that were known once. */
static bool intersect_known(const struct pool *pool, bool only_up,
                            struct capabilities *out)
{
    bool has_any = false;
    for (size_t i = 0; i < pool->server_count; i++) {
        const struct server_health *server = &pool->servers[i];
        if (!server->is_known || (only_up && server->state != SERVER_UP))
            continue;
        if (has_any)
            capabilities_intersect(out, &server->capabilities);
        else
            *out = server->capabilities;
        has_any = true;
    }
    return has_any;
}

void pool_capabilities(const struct pool *pool, struct capabilities *out)
{
    if (intersect_known(pool, true, out) || intersect_known(pool, false, out))
        return;
    *out = (struct capabilities){
        .has_pipelining = true,
        .has_8bitmime = true,
        .has_enhanced_codes = true,
        .has_size = true,
    };
}
