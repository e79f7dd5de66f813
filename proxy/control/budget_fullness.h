/* How full budgets are: by a walk over all of them, at most once in ten
 * seconds. What is kept of a budget does not tell its burst: that is looked for
 * among the policy's limits, by the rate; where none has it, a budget is full
 * when a whole period's amount is used. Thread-safe. */
#ifndef PROXY_CONTROL_BUDGET_FULLNESS_H
#define PROXY_CONTROL_BUDGET_FULLNESS_H

#include "config/settings.h"
#include "proxy/budgets/shared_ledger.h"

enum fullness {
    FULLNESS_UNDER_50, /* percent of what may be used at once */
    FULLNESS_50_80,
    FULLNESS_80_100,
    FULLNESS_FULL,
    FULLNESS_COUNT
};

struct fullness_sum {
    uint64_t keys[FULLNESS_COUNT];
    uint64_t in_use; /* with members of distinct units */
};

struct budget_fullness;

/* NULL when out of memory. */
struct budget_fullness *budget_fullness_new(void);
void budget_fullness_free(struct budget_fullness *fullness);
/* As of now, or of the last walk, if that was less than ten seconds ago. */
struct fullness_sum budget_fullness_look(struct budget_fullness *fullness,
                                         struct shared_ledger *ledger,
                                         const struct ruleset *rules,
                                         uint64_t now_ms);

#endif
