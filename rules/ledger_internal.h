/* Inside a ledger; for the files of the ledger only. */
#ifndef RULES_LEDGER_INTERNAL_H
#define RULES_LEDGER_INTERNAL_H

#include "rules/base/zeroed_block.h"
#include "rules/budget_table.h"
#include "rules/distinct_set.h"
#include "rules/dynamic_list.h"
#include "rules/ledger.h"
#include "rules/limit.h"

/* What lies in the memory before the tables. */
struct ledger_head {
    /* The latest time that anyone passed: threads read the clock one after
     * the other, and a clock may be set back. Here time never goes back. */
    _Alignas(ZEROED_BLOCK_ALIGNMENT) uint64_t latest_ms;
};

struct ledger {
    void *owned; /* where the head is, if that is the ledger's own */
    struct ledger_head *head;
    uint8_t secret[KEYED_HASH_SECRET];
    unsigned slot; /* on whose behalf it holds */
    struct budget_table *budgets;
    struct distinct_sets *distinct;   /* networks, logins */
    struct distinct_sets *recipients; /* addresses written to */
    struct dynamic_list *lists;
    struct expiring_table *nets;   /* from which a login succeeded */
    struct expiring_table *boosts; /* by the budget's key: struct boost */
};

/* For a while a budget is so many hundredths of what its rule says. */
struct boost {
    uint32_t percent;
};

/* The time, which never goes back. */
uint64_t ledger_tick(struct ledger *ledger, uint64_t now_ms);
struct expiring_key ledger_budget_key(const struct ledger *ledger,
                                      const struct rule *rule,
                                      const struct limit *limit,
                                      struct str key);

/* The question as it stands while the key is boosted: itself, or *boosted. */
const struct question *ledger_boost_question(const struct ledger *ledger,
                                             const struct question *question,
                                             const struct expiring_key *key,
                                             uint64_t now_ms,
                                             struct question *boosted);
struct rate ledger_boost_rate(const struct ledger *ledger, struct rate rate,
                              const struct expiring_key *key, uint64_t now_ms);

/* A distinct unit's budget and member. */
struct distinct_keys {
    struct expiring_key set; /* the budget's too */
    struct expiring_key member;
};

bool ledger_is_distinct(const struct limit *limit, struct str member);
void ledger_distinct_answer(struct ledger *ledger,
                            const struct question *question,
                            const struct distinct_keys *keys, uint64_t now_ms,
                            struct gcra_result *result);
void ledger_distinct_commit(struct ledger *ledger, const struct hold *hold,
                            const struct distinct_keys *keys, uint64_t now_ms);
void ledger_distinct_give_back(struct ledger *ledger, const struct hold *hold,
                               const struct distinct_keys *keys,
                               uint64_t now_ms);
/* What others hold too must stay reserved when a slot is forgotten. */
void ledger_distinct_pass_on(struct ledger *ledger, unsigned slot);

#endif
