#include "proxy/upstream/lease.h"

#include "proxy/upstream/pool_internal.h"

#include <assert.h>

void lease_tell(struct lease *lease, enum lease_result result)
{
    if (result == LEASE_LENT)
        lease->events->on_lent(lease->owner);
    else if (result == LEASE_REFUSED)
        lease->events->on_refused(lease->owner);
}

static enum lease_result connect_for(struct lease *lease, size_t server)
{
    struct pool *pool = lease->pool;
    struct pool_member *member =
        pool_member_new(pool, server, MEMBER_CONNECTING, lease);
    if (member == NULL) {
        fault_set(&lease->fault, FAULT_MEMORY, "no memory to connect");
        return LEASE_REFUSED;
    }
    member->lease = lease;
    lease->member = member;
    lease->server = pool->servers[server].health.server;
    return LEASE_WAITING;
}

enum lease_result lease_take(struct lease *lease, size_t server)
{
    struct pool *pool = lease->pool;
    struct pool_member *idle =
        lease->is_fresh ? NULL : pool_find_idle(pool, server, lease);
    if (idle != NULL) {
        pool_lend(idle, lease);
        return LEASE_LENT;
    }
    if (pool->servers[server].live >= pool->upstream->pool_max &&
        pool->servers[server].idle > 0)
        pool_evict_idle(pool, server);
    return connect_for(lease, server);
}

enum lease_result lease_seek(struct lease *lease)
{
    struct pool *pool = lease->pool;
    size_t server;
    assert(lease->member == NULL && !lease->is_waiting);
    enum pool_choice choice = pool_choose(pool, lease, &server);
    if (choice == POOL_NOBODY)
        return LEASE_REFUSED;
    if (choice == POOL_SERVER)
        return lease_take(lease, server);
    if (pool->waiting_count >= pool->upstream->pool_queue) {
        fault_set(&lease->fault, FAULT_BUSY,
                  "pool.queue: %zu wait for a connection already",
                  pool->waiting_count);
        return LEASE_REFUSED;
    }
    pool_waiting_push(pool, lease);
    return LEASE_WAITING;
}

enum lease_result lease_start(struct lease *lease)
{
    /* A server's rest may just be over: those who waited come first. */
    pool_serve_waiting(lease->pool);
    return lease_seek(lease);
}

void lease_init(struct lease *lease, struct pool *pool,
                const struct client_identity *client,
                const struct credentials *credentials,
                const struct lease_events *events, void *owner)
{
    *lease = (struct lease){
        .pool = pool,
        .client = client,
        .credentials = credentials,
        .events = events,
        .owner = owner,
        .server = STR(""),
    };
}

struct upstream *lease_upstream(const struct lease *lease)
{
    return lease->member == NULL ? NULL : lease->member->upstream;
}

bool lease_is_reused(const struct lease *lease)
{
    return lease->member != NULL && lease->member->is_reused;
}

void lease_took(const struct lease *lease, enum metric_latency what,
                uint64_t since_us)
{
    const struct pool *pool = lease->pool;
    if (lease->member == NULL || since_us == 0 || pool->lane == NULL)
        return;
    metrics_server_took(pool->servers[lease->member->server].numbers, what,
                        loop_clock_us(pool->loop) - since_us,
                        loop_wall_us(pool->loop));
}

struct server_health *lease_health(const struct lease *lease)
{
    return lease->member == NULL
               ? NULL
               : &lease->pool->servers[lease->member->server].health;
}

/* Cuts the tie between the lease and its connection. */
static struct pool_member *detach(struct lease *lease)
{
    struct pool_member *member = lease->member;
    lease->member = NULL;
    if (lease->is_waiting)
        pool_waiting_remove(lease->pool, lease);
    if (member != NULL) {
        member->lease = NULL;
        upstream_hand(member->upstream, &pool_member_events, member);
    }
    return member;
}

/* Behind a member that went: the lease itself comes before those waiting. */
static enum lease_result start_again(struct lease *lease)
{
    struct pool *pool = lease->pool;
    enum lease_result result = lease_seek(lease);
    pool_serve_waiting(pool);
    return result;
}

enum lease_result lease_next_server(struct lease *lease,
                                    const struct fault *fault)
{
    struct pool_member *member = detach(lease);
    lease->fault = *fault;
    lease->tried |= 1ULL << member->server;
    pool_member_free(member);
    return start_again(lease);
}

enum lease_result lease_renew(struct lease *lease)
{
    lease->is_fresh = true;
    pool_member_free(detach(lease));
    return start_again(lease);
}

enum lease_result lease_doubt(struct lease *lease, const char *words)
{
    pool_member_log(lease->member, words);
    return lease_renew(lease);
}

void lease_drop(struct lease *lease)
{
    struct pool_member *member = detach(lease);
    if (member == NULL)
        return;
    pool_member_free(member);
    pool_serve_waiting(lease->pool);
}

void lease_end(struct lease *lease)
{
    struct upstream *upstream = lease_upstream(lease);
    if (upstream == NULL || lease->member->use != MEMBER_LENT) {
        lease_drop(lease);
        return;
    }
    enum upstream_state state = upstream_state(upstream);
    bool may_reset = state == UPSTREAM_ENVELOPE || state == UPSTREAM_CHUNKS;
    if (state != UPSTREAM_READY && state != UPSTREAM_DOT && !may_reset) {
        lease_drop(lease);
        return;
    }
    struct pool_member *member = detach(lease);
    member->use = MEMBER_RETURNING;
    if (state == UPSTREAM_READY)
        pool_settle(member);
    else if (may_reset)
        upstream_rset(upstream);
}
