#include "proxy/budgets/shared_ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#define SHARDS 16

/* A line of the cache each, so that locks don't contend by neighbourhood. */
struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct ledger *ledger;
};

struct shared_ledger {
    struct shard shards[SHARDS];
    uint8_t secret[16];
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

struct shared_ledger *shared_ledger_new(size_t max_keys)
{
    struct shared_ledger *shared = aligned_alloc(64, sizeof *shared);
    if (shared == NULL)
        return NULL;
    for (size_t i = 0; i < SHARDS; i++) {
        shared->shards[i].ledger = NULL;
        pthread_mutex_init(&shared->shards[i].lock, NULL);
    }
    if (getrandom(shared->secret, sizeof shared->secret, 0) !=
            (ssize_t)sizeof shared->secret ||
        open_shards(shared, max_keys) != 0) {
        shared_ledger_free(shared);
        return NULL;
    }
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
    free(shared);
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

void shared_ledger_answer(struct shared_ledger *shared,
                          const struct question *question, uint64_t now_ms,
                          struct answer *answer)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_question(question, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    ledger_answer(ledger, question, now_ms, answer);
    unlock_shard(shard);
}

void shared_ledger_commit(struct shared_ledger *shared, struct hold *hold,
                          uint64_t now_ms)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_hold(hold, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    ledger_commit(ledger, hold, now_ms);
    unlock_shard(shard);
}

void shared_ledger_give_back(struct shared_ledger *shared, struct hold *hold,
                             uint64_t now_ms)
{
    struct shard *shard;
    uint64_t hash = ledger_hash_hold(hold, shared->secret);
    struct ledger *ledger = lock_shard(shared, hash, &shard);
    ledger_give_back(ledger, hold, now_ms);
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
    bool has_room = ledger_apply(ledger, change, now_ms);
    unlock_shard(shard);
    return has_room;
}

bool shared_ledger_knows(struct shared_ledger *shared, struct str user,
                         struct str net, uint64_t now_ms)
{
    (void)shared, (void)user, (void)net, (void)now_ms;
    return false;
}

void shared_ledger_know(struct shared_ledger *shared, struct str user,
                        struct str net, uint64_t now_ms)
{
    (void)shared, (void)user, (void)net, (void)now_ms;
}

void shared_ledger_each_listed(struct shared_ledger *shared, struct str list,
                               uint64_t now_ms,
                               shared_ledger_on_listed *on_listed, void *owner)
{
    (void)shared, (void)list, (void)now_ms, (void)on_listed, (void)owner;
}
