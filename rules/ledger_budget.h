/* One budget of a ledger, by its rule and key, for people who look at it and
 * change it by hand: how much is used, that it begins anew, that for a while
 * it is larger than its rule says. */
#ifndef RULES_LEDGER_BUDGET_H
#define RULES_LEDGER_BUDGET_H

#include "rules/evaluate.h"

#define BOOST_PERCENT_MIN 1
#define BOOST_PERCENT_MAX 100000

struct ledger;

/* Whose it is. The limit is a rate, or of connections at the same time. */
struct ledger_target {
    const struct rule *rule;
    const struct limit *limit;
    struct str key; /* canonical, as questions have it */
};

struct ledger_budget {
    uint64_t used, held;    /* in whole units, rounded up */
    uint64_t max;           /* at once, boosted or not; 0: a list says how many,
                               and nobody has asked yet */
    struct rate rate;       /* the same of what drains */
    uint64_t empty_in_ms;   /* until nothing is used, were no more to come */
    uint32_t boost_percent; /* 0: none */
    uint64_t boost_left_ms;
};

/* False: nothing is used or held, and there is no boost. */
bool ledger_look(struct ledger *ledger, const struct ledger_target *target,
                 uint64_t now_ms, struct ledger_budget *out);
/* Nothing is used any more; what is held stays so. */
void ledger_reset(struct ledger *ledger, const struct ledger_target *target,
                  uint64_t now_ms);
/* From now on, for so long, the rule's figures times `percent` hundredths
 * count for this key; 100: as the rule says. False: there is no room. */
bool ledger_boost(struct ledger *ledger, const struct ledger_target *target,
                  uint32_t percent, uint64_t for_ms, uint64_t now_ms);
/* What a boost of so many hundredths makes of a rule's figures; 0: none. */
uint64_t ledger_boosted_amount(uint64_t amount, uint32_t percent);
uint64_t ledger_boosted_max(const struct limit *limit, uint64_t max,
                            uint32_t percent);
/* For choosing a shard: as ledger_hash_question(). */
uint64_t ledger_hash_target(const struct ledger_target *target,
                            const uint8_t secret[16]);

#endif
