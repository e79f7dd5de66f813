/* In order, a server that is full is waited for: those behind it stand by for
 * its failure, not for its load. In turn, one that is full is passed over. */
#include "proxy/upstream/pool_internal.h"

bool pool_has_room(const struct pool *pool, size_t server)
{
    const struct pool_server *at = &pool->servers[server];
    return at->live < pool->upstream->pool_max || at->idle > 0;
}

static bool was_tried(const struct lease *lease, size_t server)
{
    return (lease->tried & (1ULL << server)) != 0;
}

/* The first from `begin` on, round the end, among those that rest or among
 * those that do not; else server_count. */
static size_t find(const struct pool *pool, const struct lease *lease,
                   size_t begin, bool rests, bool has_room)
{
    for (size_t i = 0; i < pool->server_count; i++) {
        size_t server = (begin + i) % pool->server_count;
        if (!was_tried(lease, server) &&
            server_health_rests(&pool->servers[server].health) == rests &&
            (!has_room || pool_has_room(pool, server)))
            return server;
    }
    return pool->server_count;
}

enum pool_choice pool_choose(struct pool *pool, const struct lease *lease,
                             size_t *server)
{
    bool takes_turns = pool->upstream->balance == BALANCE_ROUND_ROBIN;
    size_t begin = takes_turns ? pool->turn : 0;
    for (int rests = 0; rests < 2; rests++) {
        *server = find(pool, lease, begin, rests != 0, false);
        if (*server == pool->server_count)
            continue;
        if (takes_turns)
            *server = find(pool, lease, begin, rests != 0, true);
        if (*server == pool->server_count || !pool_has_room(pool, *server))
            return POOL_FULL;
        pool->turn = (*server + 1) % pool->server_count;
        return POOL_SERVER;
    }
    return POOL_NOBODY;
}
