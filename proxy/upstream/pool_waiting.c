#include "proxy/upstream/pool_internal.h"

static void pool_waiting_arm(struct pool *pool)
{
    if (pool->waiting == NULL) {
        timer_stop(pool->waiting_timer);
        return;
    }
    uint64_t now = loop_now_ms(pool->loop);
    uint64_t until = pool->waiting->waits_until_ms;
    timer_start(pool->waiting_timer, until > now ? until - now : 1);
}

void pool_waiting_push(struct pool *pool, struct lease *lease)
{
    lease->is_waiting = true;
    lease->waits_until_ms =
        loop_now_ms(pool->loop) + pool->upstream->pool_wait_ms;
    lease->next = NULL;
    *pool->waiting_end = lease;
    pool->waiting_end = &lease->next;
    pool->waiting_count++;
    if (pool->waiting == lease)
        pool_waiting_arm(pool);
}

void pool_waiting_remove(struct pool *pool, struct lease *lease)
{
    struct lease **at = &pool->waiting;
    while (*at != lease)
        at = &(*at)->next;
    *at = lease->next;
    if (lease->next == NULL)
        pool->waiting_end = at;
    pool->waiting_count--;
    lease->is_waiting = false;
    pool_waiting_arm(pool);
}

void pool_waiting_on_timer(void *owner)
{
    struct pool *pool = owner;
    uint64_t now = loop_now_ms(pool->loop);
    while (pool->waiting != NULL && pool->waiting->waits_until_ms <= now) {
        struct lease *lease = pool->waiting;
        pool_waiting_remove(pool, lease);
        fault_set(&lease->fault, FAULT_BUSY,
                  "pool.wait: all %llu connections to a server (pool.max) "
                  "stayed busy",
                  (unsigned long long)pool->upstream->pool_max);
        lease->events->on_refused(lease->owner);
    }
    pool_waiting_arm(pool);
}

static bool has_room_anywhere(const struct pool *pool)
{
    for (size_t i = 0; i < pool->server_count; i++)
        if (pool_has_room(pool, i))
            return true;
    return false;
}

/* Who has waited longest comes first; but those whose servers are full stand
 * in nobody's way. */
void pool_serve_waiting(struct pool *pool)
{
    /* Whom a lease is told of may end it, and so come back here. */
    if (pool->is_serving)
        return;
    pool->is_serving = true;
    struct lease *lease = pool->waiting;
    while (lease != NULL && has_room_anywhere(pool)) {
        size_t server;
        enum pool_choice choice = pool_choose(pool, lease, &server);
        if (choice == POOL_FULL) {
            lease = lease->next;
            continue;
        }
        pool_waiting_remove(pool, lease);
        lease_tell(lease, choice == POOL_NOBODY ? LEASE_REFUSED
                                                : lease_take(lease, server));
        lease = pool->waiting;
    }
    pool->is_serving = false;
}
