/* The arithmetic of one budget: a bucket that drains at a rate, with
 * reservations held beside it. Exact: what is used is kept in units times
 * milliseconds of the period, so that nothing is lost to rounding. Pure.
 *
 * A cost passes if used(now) + held + cost <= burst. A hold does not drain;
 * a commit adds its cost at the time of the commit; giving back only lowers
 * what is held. So there are never more than `burst` at once, nor more than
 * burst + amount committed within any period. */
#ifndef RULES_GCRA_H
#define RULES_GCRA_H

#include "rules/quantity.h"

struct budget {
    unsigned __int128 used; /* units x scale_ms, as of at_ms */
    uint64_t scale_ms;      /* the period `used` is counted in */
    uint64_t at_ms;
    uint64_t held;   /* units */
    uint64_t amount; /* what drained a period when it was last asked */
};

struct gcra_result {
    bool is_within;
    uint64_t before, after; /* used and held, in whole units, rounded up */
    uint64_t retry_after_ms;
    bool is_held_up; /* by what is held: when that ends is not known */
};

/* Reserves `cost` if it fits. Without a period only what is held counts. */
void gcra_hold(struct budget *budget, const struct rate *rate, uint64_t burst,
               uint64_t cost, uint64_t now_ms, struct gcra_result *result);
/* Adds `cost` at once. What does not fit fills the bucket to the brim: who
 * goes on trying stays out. */
void gcra_charge(struct budget *budget, const struct rate *rate, uint64_t burst,
                 uint64_t cost, uint64_t now_ms, struct gcra_result *result);
/* Takes `held` off the reservations and adds `charge` to what is used. */
void gcra_commit(struct budget *budget, const struct rate *rate, uint64_t held,
                 uint64_t charge, uint64_t now_ms);
void gcra_give_back(struct budget *budget, uint64_t held);

/* When it will be as if it had never been used; UINT64_MAX while holding. */
uint64_t gcra_idle_at_ms(const struct budget *budget, const struct rate *rate);

#endif
