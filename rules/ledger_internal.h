/* Inside a ledger; for the files of the ledger only. */
#ifndef RULES_LEDGER_INTERNAL_H
#define RULES_LEDGER_INTERNAL_H

#include "rules/budget_table.h"
#include "rules/distinct_set.h"
#include "rules/dynamic_list.h"
#include "rules/ledger.h"
#include "rules/limit.h"

struct ledger {
    uint8_t secret[KEYED_HASH_SECRET];
    /* The latest time that anyone passed: threads read the clock one after
     * the other, and a clock may be set back. Here time never goes back. */
    uint64_t latest_ms;
    struct budget_table *budgets;
    struct distinct_sets *distinct;   /* networks, logins */
    struct distinct_sets *recipients; /* addresses written to */
    struct dynamic_list *lists;
    struct expiring_table *nets; /* from which a login succeeded */
};

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

#endif
