/* Servers are asked for their EHLO again: one that is down, to notice its
 * return, and one that nothing was heard of for long, to notice its end and
 * what else it has learned. */
#include "proxy/upstream/pool_internal.h"

static bool ask(struct pool *pool, size_t server)
{
    if (pool_member_new(pool, server, MEMBER_PROBING, NULL) == NULL)
        return false;
    /* Not before it has answered or failed. */
    pool->servers[server].health.ask_again_ms = UINT64_MAX;
    return true;
}

size_t pool_probe(struct pool *pool)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->server_count; i++)
        if (ask(pool, i))
            count++;
    pool->is_watched = true;
    pool_watch(pool);
    return count;
}

void pool_watch(struct pool *pool)
{
    uint64_t now = loop_now_ms(pool->loop);
    uint64_t first = UINT64_MAX;
    if (!pool->is_watched || pool->is_closing)
        return;
    for (size_t i = 0; i < pool->server_count; i++)
        if (pool->servers[i].health.ask_again_ms < first)
            first = pool->servers[i].health.ask_again_ms;
    if (first == UINT64_MAX)
        timer_stop(pool->watch_timer);
    else
        timer_start(pool->watch_timer, first > now ? first - now : 1);
}

void pool_watch_on_timer(void *owner)
{
    struct pool *pool = owner;
    uint64_t now = loop_now_ms(pool->loop);
    for (size_t i = 0; i < pool->server_count; i++) {
        if (pool->servers[i].health.ask_again_ms > now)
            continue;
        /* Mail comes first, where no more connections may be made. */
        if (pool->servers[i].live >= pool->upstream->pool_max || !ask(pool, i))
            pool->servers[i].health.ask_again_ms = now + SERVER_REST_MS;
    }
    pool_watch(pool);
}
