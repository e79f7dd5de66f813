/* The ledger of the whole process: shards of rules/ledger, each behind its
 * own lock, held for arithmetic only. Thread-safe. */
#ifndef PROXY_BUDGETS_SHARED_LEDGER_H
#define PROXY_BUDGETS_SHARED_LEDGER_H

#include "rules/ledger.h"
#include "rules/ledger_entry.h"

#define SHARED_LEDGER_SHARDS 16

struct shared_ledger;

/* With a secret of its own, on the clock of its callers. */
struct shared_ledger *shared_ledger_new(size_t max_keys);
/* With the secret of a state that is kept. epoch_ms is added (modulo 2^64) to
 * every time that is passed in, so that times within mean something to the
 * next process: wall time at the start, and from then on as the callers'
 * clock goes. */
struct shared_ledger *shared_ledger_new_kept(size_t max_keys,
                                             const uint8_t secret[16],
                                             uint64_t epoch_ms);
void shared_ledger_free(struct shared_ledger *shared);
/* A secret for another purpose, kept as long as the ledger's own, of which it
 * tells nothing. The caller's to wipe. */
void shared_ledger_derive(const struct shared_ledger *shared,
                          struct str purpose, uint8_t out[16]);

void shared_ledger_answer(struct shared_ledger *shared,
                          const struct question *question, uint64_t now_ms,
                          struct answer *answer);
void shared_ledger_commit(struct shared_ledger *shared, struct hold *hold,
                          uint64_t now_ms);
void shared_ledger_give_back(struct shared_ledger *shared, struct hold *hold,
                             uint64_t now_ms);
/* False: there is no room for one more value, or it is too long. */
bool shared_ledger_apply(struct shared_ledger *shared,
                         const struct list_change *change, uint64_t now_ms);

/* client.known: whether this login succeeded from this net within 30 days;
 * and that it did now. */
bool shared_ledger_knows(struct shared_ledger *shared, struct str user,
                         struct str net, uint64_t now_ms);
void shared_ledger_know(struct shared_ledger *shared, struct str user,
                        struct str net, uint64_t now_ms);

/* Every value that a dynamic list holds now, in no order. left_ms is 0: until
 * removed. The value is valid within the call; the call holds a lock, so it
 * must not come back. */
typedef void shared_ledger_on_listed(void *owner, struct str value,
                                     uint64_t left_ms);
void shared_ledger_each_listed(struct shared_ledger *shared, struct str list,
                               uint64_t now_ms,
                               shared_ledger_on_listed *on_listed, void *owner);

/* --- for the journal; times are the ledger's, not the callers' --- */

/* Remembers changes from now on and tells of the first since they were last
 * asked for; of a list's change each time, as urgent. Called by any thread,
 * with no lock held. Before the ledger is shared. */
typedef void shared_ledger_on_change(void *owner, bool is_urgent);
void shared_ledger_watch(struct shared_ledger *shared,
                         shared_ledger_on_change *on_change, void *owner);

/* Called with a lock held: it must only copy what it is told. */
typedef void shared_ledger_on_entry(void *owner,
                                    const struct ledger_entry *entry);

/* The next change is told of again. */
void shared_ledger_expect_changes(struct shared_ledger *shared);
/* Gives up to `max` changes of one shard; returns how many. *has_lost is set
 * when only a walk over all entries tells what changed. */
size_t shared_ledger_take_changes(struct shared_ledger *shared, size_t shard,
                                  size_t max, shared_ledger_on_entry *on_entry,
                                  void *owner, bool *has_lost);

/* A walk over all entries, a few at a time; starts as {0}. */
struct shared_ledger_walk {
    size_t shard;
    enum ledger_entry_kind kind;
    size_t number;
};
/* Gives what the next `max` entries have to tell; false: that was all. */
bool shared_ledger_walk(struct shared_ledger *shared,
                        struct shared_ledger_walk *walk, size_t max,
                        shared_ledger_on_entry *on_entry, void *owner);

/* As ledger_restore(), before the ledger is shared. */
bool shared_ledger_restore(struct shared_ledger *shared,
                           const struct ledger_entry *entry, uint64_t now_ms);

#endif
