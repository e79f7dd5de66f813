#include "proxy/budgets/shared_ledger.h"

#include <string.h>
#include <unistd.h>

#include "proxy/budgets/shared_ledger_internal.h"
#include "rules/base/keyed_hash.h"

int shared_ledger_memory(const struct shared_ledger *shared)
{
    return shared->memory.fd;
}

int shared_ledger_event(const struct shared_ledger *shared)
{
    return shared->event;
}

uint64_t shared_ledger_emptied(struct shared_ledger *shared)
{
    return atomic_load(&shared->common->emptied);
}

uint64_t shared_ledger_identity(const struct shared_ledger *shared,
                                uint8_t secret[16])
{
    memcpy(secret, shared->secret, sizeof shared->secret);
    return shared->epoch_ms;
}

void shared_ledger_derive(const struct shared_ledger *shared,
                          struct str purpose, uint8_t out[16])
{
    static const struct str halves[] = {STR_INIT("first"), STR_INIT("second")};
    for (size_t i = 0; i < 2; i++) {
        const struct str parts[] = {STR("derived"), purpose, halves[i]};
        uint64_t half = keyed_hash_parts(shared->secret, parts, 3);
        memcpy(out + i * sizeof half, &half, sizeof half);
    }
}

/* The high half of the hash chooses the shard, so that the low half, which a
 * table within may use, stays evenly spread in each. */
size_t shared_ledger_shard(uint64_t hash)
{
    return (hash >> 32) % SHARDS;
}

void shared_ledger_tell(struct shared_ledger *shared, bool is_urgent)
{
    struct shared_ledger_common *common = shared->common;
    if (!atomic_load_explicit(&common->is_watched, memory_order_relaxed))
        return;
    if (is_urgent)
        atomic_store(&common->is_urgent, true);
    else if (atomic_load_explicit(&common->has_changes, memory_order_relaxed))
        return;
    bool is_told = atomic_exchange(&common->has_changes, true);
    const uint64_t one = 1;
    /* An event that is full is one that will wake. */
    if ((!is_told || is_urgent) && shared->event >= 0)
        (void)!write(shared->event, &one, sizeof one);
}

void shared_ledger_answer(struct shared_ledger *shared,
                          const struct question *question, uint64_t now_ms,
                          struct answer *answer)
{
    size_t shard =
        shared_ledger_shard(ledger_hash_question(question, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    ledger_answer(ledger, question, now_ms + shared->epoch_ms, answer);
    shared_ledger_unlock(shared, shard);
    if (question->kind == QUESTION_HOLD && question->is_charge)
        shared_ledger_tell(shared, false);
}

void shared_ledger_commit(struct shared_ledger *shared, struct hold *hold,
                          uint64_t now_ms)
{
    size_t shard = shared_ledger_shard(ledger_hash_hold(hold, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    ledger_commit(ledger, hold, now_ms + shared->epoch_ms);
    shared_ledger_unlock(shared, shard);
    shared_ledger_tell(shared, false);
}

void shared_ledger_give_back(struct shared_ledger *shared, struct hold *hold,
                             uint64_t now_ms)
{
    size_t shard = shared_ledger_shard(ledger_hash_hold(hold, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    ledger_give_back(ledger, hold, now_ms + shared->epoch_ms);
    shared_ledger_unlock(shared, shard);
}

/* A change goes where the question of the same list and value looks. */
bool shared_ledger_apply(struct shared_ledger *shared,
                         const struct list_change *change, uint64_t now_ms)
{
    const struct question asked = {
        .kind = QUESTION_LISTED, .list = change->list, .value = change->value};
    size_t shard =
        shared_ledger_shard(ledger_hash_question(&asked, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    bool has_room = ledger_apply(ledger, change, now_ms + shared->epoch_ms);
    shared_ledger_unlock(shared, shard);
    shared_ledger_tell(shared, true);
    return has_room;
}

bool shared_ledger_knows(struct shared_ledger *shared, struct str user,
                         struct str net, uint64_t now_ms)
{
    size_t shard =
        shared_ledger_shard(ledger_hash_known(user, net, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    bool knows = ledger_knows(ledger, user, net, now_ms + shared->epoch_ms);
    shared_ledger_unlock(shared, shard);
    return knows;
}

void shared_ledger_know(struct shared_ledger *shared, struct str user,
                        struct str net, uint64_t now_ms)
{
    size_t shard =
        shared_ledger_shard(ledger_hash_known(user, net, shared->secret));
    struct ledger *ledger = shared_ledger_lock(shared, shard, LOCK_TO_CHANGE);
    ledger_know(ledger, user, net, now_ms + shared->epoch_ms);
    shared_ledger_unlock(shared, shard);
    shared_ledger_tell(shared, false);
}

struct listing {
    struct str list;
    uint64_t now_ms;
    shared_ledger_on_listed *on_listed;
    void *owner;
};

static void list_shard(struct ledger *ledger, const struct listing *listing)
{
    struct ledger_entry entry;
    size_t count = ledger_entry_count(ledger, LEDGER_LISTED);
    for (size_t i = 0; i < count; i++) {
        if (!ledger_entry_at(ledger, LEDGER_LISTED, i, &entry) ||
            entry.until_ms <= listing->now_ms ||
            !str_equals(entry.list, listing->list))
            continue;
        uint64_t left_ms =
            entry.until_ms == UINT64_MAX ? 0 : entry.until_ms - listing->now_ms;
        listing->on_listed(listing->owner, entry.value, left_ms);
    }
}

void shared_ledger_each_listed(struct shared_ledger *shared, struct str list,
                               uint64_t now_ms,
                               shared_ledger_on_listed *on_listed, void *owner)
{
    const struct listing listing = {list, now_ms + shared->epoch_ms, on_listed,
                                    owner};
    for (size_t i = 0; i < SHARDS; i++) {
        list_shard(shared_ledger_lock(shared, i, LOCK_TO_READ), &listing);
        shared_ledger_unlock(shared, i);
    }
}

void shared_ledger_forget(struct shared_ledger *shared, unsigned slot)
{
    for (size_t i = 0; i < SHARDS; i++) {
        ledger_forget_slot(shared_ledger_lock(shared, i, LOCK_TO_CHANGE), slot);
        shared_ledger_unlock(shared, i);
    }
}
