/* What the journal asks of the ledger. */
#include "proxy/budgets/shared_ledger_internal.h"

void shared_ledger_watch(struct shared_ledger *shared)
{
    for (size_t i = 0; i < SHARDS; i++) {
        ledger_watch(shared_ledger_lock(shared, i, LOCK_TO_CHANGE));
        shared_ledger_unlock(shared, i);
    }
    atomic_store(&shared->common->is_watched, true);
}

bool shared_ledger_has_changes(const struct shared_ledger *shared)
{
    return atomic_load(&shared->common->has_changes);
}

bool shared_ledger_is_urgent(const struct shared_ledger *shared)
{
    return atomic_load(&shared->common->is_urgent);
}

bool shared_ledger_take_urgent(struct shared_ledger *shared)
{
    return atomic_exchange(&shared->common->is_urgent, false);
}

void shared_ledger_expect_changes(struct shared_ledger *shared)
{
    atomic_store(&shared->common->has_changes, false);
}

size_t shared_ledger_take_changes(struct shared_ledger *shared, size_t shard,
                                  size_t max, shared_ledger_on_entry *on_entry,
                                  void *owner, bool *has_lost)
{
    struct ledger_entry entry;
    size_t count = 0;
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    for (; count < max && ledger_take_change(ledger, &entry); count++)
        on_entry(owner, &entry);
    if (ledger_take_lost(ledger))
        *has_lost = true;
    shared_ledger_unlock(shared, shard);
    return count;
}

/* Onwards to where there is an entry; false at the end of the shard. */
static bool find_entry(struct ledger *ledger, struct shared_ledger_walk *walk)
{
    for (; walk->kind < LEDGER_ENTRY_KINDS; walk->kind++, walk->number = 0)
        if (walk->number < ledger_entry_count(ledger, walk->kind))
            return true;
    return false;
}

bool shared_ledger_walk(struct shared_ledger *shared,
                        struct shared_ledger_walk *walk, size_t max,
                        shared_ledger_on_entry *on_entry, void *owner)
{
    struct ledger_entry entry;
    if (walk->shard == SHARDS)
        return false;
    size_t shard = walk->shard;
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_READ);
    bool has_more = true;
    for (size_t i = 0; i < max && has_more; i++) {
        has_more = find_entry(ledger, walk);
        if (has_more &&
            ledger_entry_at(ledger, walk->kind, walk->number++, &entry))
            on_entry(owner, &entry);
    }
    shared_ledger_unlock(shared, shard);
    if (!has_more)
        *walk = (struct shared_ledger_walk){.shard = shard + 1};
    return true;
}

bool shared_ledger_restore(struct shared_ledger *shared,
                           const struct ledger_entry *entry, uint64_t now_ms)
{
    uint64_t hash = ledger_hash_entry(entry, shared->secret);
    size_t shard = shared_ledger_shard(hash);
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    bool has_room = ledger_restore(ledger, entry, now_ms);
    shared_ledger_unlock(shared, shard);
    return has_room;
}
