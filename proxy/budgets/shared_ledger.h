/* The ledger of the whole server: shards of rules/ledger, each behind its own
 * lock, held for arithmetic only. It may lie in memory that several processes
 * share, so that budgets hold over an upgrade: then it is one ledger, whoever
 * asks. Should a process die in the middle of a change, that shard begins
 * anew; nobody waits for the dead. Thread-safe. */
#ifndef PROXY_BUDGETS_SHARED_LEDGER_H
#define PROXY_BUDGETS_SHARED_LEDGER_H

#include "rules/ledger.h"
#include "rules/ledger_budget.h"
#include "rules/ledger_entry.h"

#define SHARED_LEDGER_SHARDS 16

struct shared_ledger;

/* Of this process alone, with a secret of its own, on the clock of its
 * callers. */
struct shared_ledger *shared_ledger_new(size_t max_keys);
/* With the secret of a state that is kept. epoch_ms is added (modulo 2^64) to
 * every time that is passed in, so that times within mean something to the
 * next process: wall time at the start, and from then on as the callers'
 * clock goes. */
struct shared_ledger *shared_ledger_new_kept(size_t max_keys,
                                             const uint8_t secret[16],
                                             uint64_t epoch_ms);
/* The same in memory that other processes of this boot can attach to: all
 * must pass times of the same clock. `slot` is this process's number, below
 * SLOTS; see shared_ledger_forget(). NULL with errno. */
struct shared_ledger *shared_ledger_create(size_t max_keys,
                                           const uint8_t secret[16],
                                           uint64_t epoch_ms, unsigned slot);
enum shared_ledger_attached {
    SHARED_LEDGER_ATTACHED,
    SHARED_LEDGER_FOREIGN, /* no ledger, or one of another version */
    SHARED_LEDGER_FAILED   /* errno */
};
/* What another process has made, by its two descriptors, which stay the
 * caller's. What the slot still held, from a process before, is given back. */
enum shared_ledger_attached shared_ledger_attach(int memory, int event,
                                                 unsigned slot,
                                                 struct shared_ledger **out);
/* What to hand on: the memory, and an eventfd that is written to when there
 * are changes. Owned by the ledger; -1: of this process alone. */
int shared_ledger_memory(const struct shared_ledger *shared);
int shared_ledger_event(const struct shared_ledger *shared);
/* Memory that is shared stays as long as anyone has it. */
void shared_ledger_free(struct shared_ledger *shared);
/* Gives back what a process that is no more has held. */
void shared_ledger_forget(struct shared_ledger *shared, unsigned slot);
/* How many times a shard began anew because a process died in the middle of a
 * change. */
uint64_t shared_ledger_emptied(struct shared_ledger *shared);
/* The secret, which is the caller's to wipe, and the epoch. */
uint64_t shared_ledger_identity(const struct shared_ledger *shared,
                                uint8_t secret[16]);
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

/* As in rules/ledger_budget.h. */
bool shared_ledger_look(struct shared_ledger *shared,
                        const struct ledger_target *target, uint64_t now_ms,
                        struct ledger_budget *out);
void shared_ledger_reset(struct shared_ledger *shared,
                         const struct ledger_target *target, uint64_t now_ms);
bool shared_ledger_boost(struct shared_ledger *shared,
                         const struct ledger_target *target, uint32_t percent,
                         uint64_t for_ms, uint64_t now_ms);
/* How many budgets and distinct members have anything used now, of all rules;
 * takes a walk over all entries. */
size_t shared_ledger_in_use(struct shared_ledger *shared);
size_t shared_ledger_max_keys(const struct shared_ledger *shared);

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

/* Remembers changes from now on. With the first since they were last expected,
 * and with each of a list, which is urgent, the event is written to. */
void shared_ledger_watch(struct shared_ledger *shared);
bool shared_ledger_has_changes(const struct shared_ledger *shared);
/* Whether one was urgent. Taking it resets it. */
bool shared_ledger_is_urgent(const struct shared_ledger *shared);
bool shared_ledger_take_urgent(struct shared_ledger *shared);

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
