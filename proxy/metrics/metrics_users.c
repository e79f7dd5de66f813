/* Who sends most: a sketch a process, which are added up when they are read. */
#include "proxy/metrics/metrics_internal.h"

#include <stdlib.h>
#include <string.h>

#include "rules/base/keyed_hash.h"

/* What a process that died was changing begins anew. */
static void lock_users(struct metrics_users *users)
{
    if (robust_lock_take(&users->lock, LOCK_TO_CHANGE))
        return;
    memset(&users->top, 0, sizeof users->top);
    robust_lock_mended(&users->lock);
}

void metrics_add_use(struct metrics_lane *lane, const struct top_use *use,
                     uint64_t us)
{
    if (lane == NULL)
        return;
    struct metrics_memory *at = lane->metrics->at;
    struct metrics_users *users = &at->users[lane->metrics->slot];
    struct top_use named = *use;
    named.hash = keyed_hash(at->secret, use->name) | 1;
    atomic_store_explicit(&at->has_users[lane->metrics->slot], true,
                          memory_order_relaxed);
    lock_users(users);
    top_users_add(&users->top, metrics_minute_of(us), &named);
    robust_lock_release(&users->lock);
}

/* A copy, so that nobody who sends mail waits for who reads. */
static int add_users(struct metrics_users *users, struct top_users *copy,
                     uint64_t minute, struct top_sum *sum)
{
    lock_users(users);
    memcpy(copy, &users->top, sizeof *copy);
    robust_lock_release(&users->lock);
    return top_sum_add(sum, copy, minute);
}

int metrics_top_users(struct metrics *metrics, uint64_t minute,
                      struct top_sum *sum)
{
    struct top_users *copy = malloc(sizeof *copy);
    int result = copy == NULL ? -1 : 0;
    for (unsigned slot = 0; slot < SLOTS && result == 0; slot++)
        if (atomic_load(&metrics->at->has_users[slot]))
            result = add_users(&metrics->at->users[slot], copy, minute, sum);
    free(copy);
    if (result == 0)
        top_sum_finish(sum);
    return result;
}
