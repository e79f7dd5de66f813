/* Of the idle connections to a server those used last are its spare ones. They
 * stay whatever their age, and where there are too few more are made: one at a
 * time, to a server that is up, and not soon again where that fails or the
 * server ends what nobody has used. */
#include "proxy/upstream/pool_internal.h"

static void arm(struct timer *timer, uint64_t now, uint64_t first)
{
    if (first == UINT64_MAX)
        timer_stop(timer);
    else
        timer_start(timer, first > now ? first - now : 0);
}

void pool_idle_note(struct pool_member *member)
{
    struct pool *pool = member->pool;
    member->idle_since_ms = loop_now_ms(pool->loop);
    if (pool->is_idle_timed)
        return;
    pool->is_idle_timed = true;
    timer_start(pool->idle_timer, pool->upstream->pool_idle_ms);
}

/* Ends those of a server that are neither spare nor young; returns when the
 * next one is due. */
static uint64_t sweep(struct pool *pool, size_t server, uint64_t now)
{
    uint64_t spare = pool->upstream->pool_spare;
    uint64_t first = UINT64_MAX;
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use != MEMBER_IDLE || m->server != server)
            continue;
        uint64_t until = m->idle_since_ms + pool->upstream->pool_idle_ms;
        if (spare > 0)
            spare--;
        else if (until <= now)
            pool_member_quit(m);
        else if (until < first)
            first = until;
    }
    return first;
}

void pool_idle_on_timer(void *owner)
{
    struct pool *pool = owner;
    uint64_t now = loop_now_ms(pool->loop);
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < pool->server_count; i++) {
        uint64_t due = sweep(pool, i, now);
        if (due < first)
            first = due;
    }
    pool->is_idle_timed = first != UINT64_MAX;
    arm(pool->idle_timer, now, first);
}

static bool wants_spare(const struct pool *pool, size_t server)
{
    const struct pool_server *at = &pool->servers[server];
    return at->idle < pool->upstream->pool_spare && !at->is_warming &&
           at->live < pool->upstream->pool_max && at->health.state == SERVER_UP;
}

void pool_spare_rest(struct pool *pool, size_t server)
{
    pool->servers[server].spare_again_ms =
        loop_now_ms(pool->loop) + SERVER_REST_MS;
}

void pool_spare_fill(struct pool *pool)
{
    uint64_t now = loop_now_ms(pool->loop);
    uint64_t first = UINT64_MAX;
    /* Those who wait come first. */
    if (pool->upstream->pool_spare == 0 || pool->is_closing ||
        pool->waiting != NULL)
        return;
    for (size_t i = 0; i < pool->server_count; i++) {
        struct pool_server *server = &pool->servers[i];
        if (!wants_spare(pool, i))
            continue;
        if (server->spare_again_ms <= now &&
            pool_member_new(pool, i, MEMBER_WARMING, NULL) == NULL)
            pool_spare_rest(pool, i);
        if (server->spare_again_ms > now && server->spare_again_ms < first)
            first = server->spare_again_ms;
    }
    arm(pool->spare_timer, now, first);
}

void pool_spare_on_timer(void *owner)
{
    pool_spare_fill(owner);
}
