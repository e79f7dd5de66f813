/* What people look at and change. */
#include "proxy/budgets/shared_ledger_internal.h"

bool shared_ledger_look(struct shared_ledger *shared,
                        const struct ledger_target *target, uint64_t now_ms,
                        struct ledger_budget *out)
{
    size_t shard =
        shared_ledger_shard(ledger_hash_target(target, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    bool exists = ledger_look(ledger, target, now_ms + shared->epoch_ms, out);
    shared_ledger_unlock(shared, shard);
    return exists;
}

void shared_ledger_reset(struct shared_ledger *shared,
                         const struct ledger_target *target, uint64_t now_ms)
{
    size_t shard =
        shared_ledger_shard(ledger_hash_target(target, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    ledger_reset(ledger, target, now_ms + shared->epoch_ms);
    shared_ledger_unlock(shared, shard);
    shared_ledger_tell(shared, true);
}

bool shared_ledger_boost(struct shared_ledger *shared,
                         const struct ledger_target *target, uint32_t percent,
                         uint64_t for_ms, uint64_t now_ms)
{
    size_t shard =
        shared_ledger_shard(ledger_hash_target(target, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    bool has_room = ledger_boost(ledger, target, percent, for_ms,
                                 now_ms + shared->epoch_ms);
    shared_ledger_unlock(shared, shard);
    shared_ledger_tell(shared, true);
    return has_room;
}

static size_t count_in_use(struct ledger *ledger, enum ledger_entry_kind kind)
{
    struct ledger_entry entry;
    size_t in_use = 0, count = ledger_entry_count(ledger, kind);
    for (size_t i = 0; i < count; i++)
        in_use += ledger_entry_at(ledger, kind, i, &entry);
    return in_use;
}

size_t shared_ledger_in_use(struct shared_ledger *shared)
{
    size_t in_use = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        struct ledger *ledger = shared_ledger_lock(shared, i, LOCK_TO_READ);
        in_use += count_in_use(ledger, LEDGER_BUDGET) +
                  count_in_use(ledger, LEDGER_MEMBER);
        shared_ledger_unlock(shared, i);
    }
    return in_use;
}

size_t shared_ledger_max_keys(const struct shared_ledger *shared)
{
    return (size_t)shared->common->head.capacity;
}
