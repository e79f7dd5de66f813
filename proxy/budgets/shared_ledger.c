#include "proxy/budgets/shared_ledger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rules/base/keyed_hash.h"

#define SHARDS SHARED_LEDGER_SHARDS

/* A line of the cache each, so that locks don't contend by neighbourhood. */
struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct ledger *ledger;
};

struct shared_ledger {
    struct shard shards[SHARDS];
    uint8_t secret[16];
    uint64_t epoch_ms;
    shared_ledger_on_change *on_change; /* NULL: nobody listens */
    void *owner;
    atomic_bool has_changes; /* on_change was told since it last asked */
};

static int open_shards(struct shared_ledger *shared, size_t max_keys)
{
    size_t each = max_keys / SHARDS + 1;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &shared->shards[i];
        shard->ledger = ledger_new(each, shared->secret);
        if (shard->ledger == NULL)
            return -1;
    }
    return 0;
}

struct shared_ledger *shared_ledger_new_kept(size_t max_keys,
                                             const uint8_t secret[16],
                                             uint64_t epoch_ms)
{
    struct shared_ledger *shared = aligned_alloc(64, sizeof *shared);
    if (shared == NULL)
        return NULL;
    memset(shared, 0, sizeof *shared);
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&shared->shards[i].lock, NULL);
    memcpy(shared->secret, secret, sizeof shared->secret);
    shared->epoch_ms = epoch_ms;
    if (open_shards(shared, max_keys) != 0) {
        shared_ledger_free(shared);
        return NULL;
    }
    return shared;
}

struct shared_ledger *shared_ledger_new(size_t max_keys)
{
    uint8_t secret[16];
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        return NULL;
    struct shared_ledger *shared = shared_ledger_new_kept(max_keys, secret, 0);
    explicit_bzero(secret, sizeof secret);
    return shared;
}

void shared_ledger_free(struct shared_ledger *shared)
{
    if (shared == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        ledger_free(shared->shards[i].ledger);
        pthread_mutex_destroy(&shared->shards[i].lock);
    }
    explicit_bzero(shared->secret, sizeof shared->secret);
    free(shared);
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
static struct ledger *lock_shard(struct shared_ledger *shared, uint64_t hash,
                                 struct shard **out)
{
    *out = &shared->shards[(hash >> 32) % SHARDS];
    pthread_mutex_lock(&(*out)->lock);
    return (*out)->ledger;
}

static void unlock_shard(struct shard *shard)
{
    pthread_mutex_unlock(&shard->lock);
}

/* Tells the listener, but of what is not urgent only once. */
static void tell_change(struct shared_ledger *shared, bool is_urgent)
{
    if (shared->on_change == NULL)
        return;
    if (!is_urgent &&
        atomic_load_explicit(&shared->has_changes, memory_order_relaxed))
        return;
    if (!atomic_exchange(&shared->has_changes, true) || is_urgent)
        shared->on_change(shared->owner, is_urgent);
}

void shared_ledger_answer(struct shared_ledger *shared,
                          const struct question *question, uint64_t now_ms,
                          struct answer *answer)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_question(question, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    ledger_answer(ledger, question, now_ms + shared->epoch_ms, answer);
    unlock_shard(shard);
    if (question->kind == QUESTION_HOLD && question->is_charge)
        tell_change(shared, false);
}

void shared_ledger_commit(struct shared_ledger *shared, struct hold *hold,
                          uint64_t now_ms)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_hold(hold, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    ledger_commit(ledger, hold, now_ms + shared->epoch_ms);
    unlock_shard(shard);
    tell_change(shared, false);
}

void shared_ledger_give_back(struct shared_ledger *shared, struct hold *hold,
                             uint64_t now_ms)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_hold(hold, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    ledger_give_back(ledger, hold, now_ms + shared->epoch_ms);
    unlock_shard(shard);
}

/* A change goes where the question of the same list and value looks. */
bool shared_ledger_apply(struct shared_ledger *shared,
                         const struct list_change *change, uint64_t now_ms)
{
    struct shard *shard;
    const struct question asked = {
        .kind = QUESTION_LISTED, .list = change->list, .value = change->value};
    uint64_t hash = ledger_hash_question(&asked, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    bool has_room = ledger_apply(ledger, change, now_ms + shared->epoch_ms);
    unlock_shard(shard);
    tell_change(shared, true);
    return has_room;
}

bool shared_ledger_knows(struct shared_ledger *shared, struct str user,
                         struct str net, uint64_t now_ms)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_known(user, net, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    bool knows = ledger_knows(ledger, user, net, now_ms + shared->epoch_ms);
    unlock_shard(shard);
    return knows;
}

void shared_ledger_know(struct shared_ledger *shared, struct str user,
                        struct str net, uint64_t now_ms)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_known(user, net, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    ledger_know(ledger, user, net, now_ms + shared->epoch_ms);
    unlock_shard(shard);
    tell_change(shared, false);
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
        pthread_mutex_lock(&shared->shards[i].lock);
        list_shard(shared->shards[i].ledger, &listing);
        pthread_mutex_unlock(&shared->shards[i].lock);
    }
}

/* --- for the journal --- */

void shared_ledger_watch(struct shared_ledger *shared,
                         shared_ledger_on_change *on_change, void *owner)
{
    for (size_t i = 0; i < SHARDS; i++)
        ledger_watch(shared->shards[i].ledger);
    shared->on_change = on_change;
    shared->owner = owner;
}

void shared_ledger_expect_changes(struct shared_ledger *shared)
{
    atomic_store(&shared->has_changes, false);
}

size_t shared_ledger_take_changes(struct shared_ledger *shared, size_t shard,
                                  size_t max, shared_ledger_on_entry *on_entry,
                                  void *owner, bool *has_lost)
{
    struct ledger_entry entry;
    struct ledger *ledger = shared->shards[shard].ledger;
    size_t count = 0;
    pthread_mutex_lock(&shared->shards[shard].lock);
    for (; count < max && ledger_take_change(ledger, &entry); count++)
        on_entry(owner, &entry);
    if (ledger_take_lost(ledger))
        *has_lost = true;
    pthread_mutex_unlock(&shared->shards[shard].lock);
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
    struct shard *shard = &shared->shards[walk->shard];
    pthread_mutex_lock(&shard->lock);
    bool has_more = true;
    for (size_t i = 0; i < max && has_more; i++) {
        has_more = find_entry(shard->ledger, walk);
        if (has_more &&
            ledger_entry_at(shard->ledger, walk->kind, walk->number++, &entry))
            on_entry(owner, &entry);
    }
    pthread_mutex_unlock(&shard->lock);
    if (!has_more)
        *walk = (struct shared_ledger_walk){.shard = walk->shard + 1};
    return true;
}

bool shared_ledger_restore(struct shared_ledger *shared,
                           const struct ledger_entry *entry, uint64_t now_ms)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_entry(entry, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    bool has_room = ledger_restore(ledger, entry, now_ms);
    unlock_shard(shard);
    return has_room;
}
