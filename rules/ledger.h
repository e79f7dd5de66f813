/* What answers questions: the budgets and the dynamic lists. Pure memory,
 * bounded; the clock is passed in. Not thread-safe: the proxy shards and
 * locks it, a policy test owns one. Keys are hashed with a secret. */
#ifndef RULES_LEDGER_H
#define RULES_LEDGER_H

#include "rules/evaluate.h"

struct ledger;

/* `secret` keys the hash. NULL when out of memory. */
struct ledger *ledger_new(size_t max_keys, const uint8_t secret[16]);
void ledger_free(struct ledger *ledger);

/* Answers at once. now_ms: monotonic enough for budgets, since any epoch. */
void ledger_answer(struct ledger *ledger, const struct question *question,
                   uint64_t now_ms, struct answer *answer);

/* Settles a hold whose scope is not HOLD_CHARGED: adds its cost to the
 * bucket at now, or lowers what is held. Does nothing when settled before. */
void ledger_commit(struct ledger *ledger, struct hold *hold, uint64_t now_ms);
void ledger_give_back(struct ledger *ledger, struct hold *hold,
                      uint64_t now_ms);

/* False: there is no room for one more value. */
bool ledger_apply(struct ledger *ledger, const struct list_change *change,
                  uint64_t now_ms);

/* The keyed hash of a budget's key, for choosing a shard; the same for a
 * question and its hold. */
uint64_t ledger_hash_question(const struct question *question,
                              const uint8_t secret[16]);
uint64_t ledger_hash_hold(const struct hold *hold, const uint8_t secret[16]);

#endif
