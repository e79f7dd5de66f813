/* The ledger of the whole process: shards of rules/ledger, each behind its
 * own lock, held for arithmetic only. Thread-safe. */
#ifndef PROXY_BUDGETS_SHARED_LEDGER_H
#define PROXY_BUDGETS_SHARED_LEDGER_H

#include "rules/ledger.h"

struct shared_ledger;

struct shared_ledger *shared_ledger_new(size_t max_keys);
void shared_ledger_free(struct shared_ledger *shared);

void shared_ledger_answer(struct shared_ledger *shared,
                          const struct question *question, uint64_t now_ms,
                          struct answer *answer);
void shared_ledger_commit(struct shared_ledger *shared, struct hold *hold,
                          uint64_t now_ms);
void shared_ledger_give_back(struct shared_ledger *shared, struct hold *hold,
                             uint64_t now_ms);
/* False: there is no room for one more value. */
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

#endif
