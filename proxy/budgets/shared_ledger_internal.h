/* Inside a shared ledger; for its files only. */
#ifndef PROXY_BUDGETS_SHARED_LEDGER_INTERNAL_H
#define PROXY_BUDGETS_SHARED_LEDGER_INTERNAL_H

#include "proxy/budgets/robust_lock.h"
#include "proxy/budgets/shared_ledger.h"
#include "proxy/budgets/shared_memory.h"

#define SHARDS SHARED_LEDGER_SHARDS

/* A line of the cache each, so that locks don't contend by neighbourhood. */
struct shard_lock {
    _Alignas(64) struct robust_lock lock;
};

/* What lies before the shards, and is common to all processes. */
struct shared_ledger_common {
    struct shared_memory_head head;
    uint8_t secret[16];
    uint64_t epoch_ms;
    atomic_uint_fast64_t emptied;
    _Alignas(64) atomic_bool is_watched;
    atomic_bool has_changes; /* told of since they were last expected */
    atomic_bool is_urgent;
    struct shard_lock locks[SHARDS];
};

struct shared_ledger {
    struct shared_memory memory;
    struct shared_ledger_common *common; /* at its start */
    int event;                           /* -1: none */
    uint64_t epoch_ms;                   /* copies of what is common */
    uint8_t secret[16];
    struct ledger *shards[SHARDS];
};

size_t shared_ledger_shard(uint64_t hash);
struct ledger *shared_ledger_lock(struct shared_ledger *shared, size_t shard,
                                  enum robust_lock_use use);
void shared_ledger_unlock(struct shared_ledger *shared, size_t shard);
/* Wakes whoever keeps the journal, but for what is not urgent only once. With
 * no lock held. */
void shared_ledger_tell(struct shared_ledger *shared, bool is_urgent);

#endif
