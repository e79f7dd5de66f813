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
void shared_ledger_apply(struct shared_ledger *shared,
                         const struct list_change *change, uint64_t now_ms);

#endif
