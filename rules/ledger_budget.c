#include "rules/ledger_budget.h"

#include "rules/ledger_entry.h"
#include "rules/ledger_internal.h"

/* As large as a limit can be without a boost. */
#define UNITS_MAX (1ULL << 53)

/* --- boosts --- */

static const struct boost *find_boost(const struct ledger *ledger,
                                      const struct expiring_key *key,
                                      uint64_t now_ms)
{
    if (expiring_table_count(ledger->boosts) == 0)
        return NULL;
    const struct boost *boost = expiring_table_find(ledger->boosts, key);
    return boost != NULL &&
                   expiring_table_expiry(ledger->boosts, boost) > now_ms
               ? boost
               : NULL;
}

static uint64_t times(uint64_t amount, uint32_t percent)
{
    if (percent == 0 || amount == 0)
        return amount;
    unsigned __int128 product = (unsigned __int128)amount * percent;
    product /= 100;
    return product == 0          ? 1
           : product > UNITS_MAX ? UNITS_MAX
                                 : (uint64_t)product;
}

static bool is_set(const struct limit *limit)
{
    return limit->unit == UNIT_NETWORKS || limit->unit == UNIT_LOGINS;
}

uint64_t ledger_boosted_amount(uint64_t amount, uint32_t percent)
{
    return times(amount, percent);
}

/* A set has an end of its own: beyond it a boost would mean no limit. */
uint64_t ledger_boosted_max(const struct limit *limit, uint64_t max,
                            uint32_t percent)
{
    uint64_t boosted = times(max, percent);
    return percent != 0 && is_set(limit) && boosted > DISTINCT_MAX
               ? DISTINCT_MAX
               : boosted;
}

static uint32_t percent_of(const struct boost *boost)
{
    return boost == NULL ? 0 : boost->percent;
}

const struct question *ledger_boost_question(const struct ledger *ledger,
                                             const struct question *question,
                                             const struct expiring_key *key,
                                             uint64_t now_ms,
                                             struct question *boosted)
{
    const struct boost *boost = find_boost(ledger, key, now_ms);
    if (boost == NULL)
        return question;
    *boosted = *question;
    boosted->max =
        ledger_boosted_max(question->limit, question->max, boost->percent);
    boosted->rate.amount = times(question->rate.amount, boost->percent);
    return boosted;
}

struct rate ledger_boost_rate(const struct ledger *ledger, struct rate rate,
                              const struct expiring_key *key, uint64_t now_ms)
{
    rate.amount =
        times(rate.amount, percent_of(find_boost(ledger, key, now_ms)));
    return rate;
}

/* Until now it has drained as it was. From now on it may drain more slowly,
 * and must not be forgotten before it would be as new. */
static void settle(struct ledger *ledger, const struct expiring_key *key,
                   uint32_t percent, uint64_t now_ms)
{
    struct gcra_result result;
    struct expiring_table *budgets = budget_table_entries(ledger->budgets);
    struct budget *budget = expiring_table_find(budgets, key);
    if (budget == NULL || budget->amount == 0)
        return;
    struct rate rate = {budget->amount, budget->scale_ms};
    gcra_hold(budget, &rate, 0, 0, now_ms, &result);
    rate.amount = times(rate.amount, percent < 100 ? percent : 100);
    expiring_table_set(budgets, budget, gcra_idle_at_ms(budget, &rate));
}

bool ledger_boost(struct ledger *ledger, const struct ledger_target *target,
                  uint32_t percent, uint64_t for_ms, uint64_t now_ms)
{
    struct expiring_table *boosts = ledger->boosts;
    struct expiring_key key =
        ledger_budget_key(ledger, target->rule, target->limit, target->key);
    now_ms = ledger_tick(ledger, now_ms);
    settle(ledger, &key, percent, now_ms);
    if (percent == 100 && expiring_table_find(boosts, &key) == NULL)
        return true;
    struct boost *boost = expiring_table_make(boosts, &key, now_ms);
    if (boost == NULL)
        return false;
    boost->percent = percent;
    expiring_table_set(boosts, boost, percent == 100 ? 0 : now_ms + for_ms);
    expiring_table_touch(boosts, boost);
    return true;
}

/* --- looking --- */

static void look_at_set(struct ledger *ledger, const struct expiring_key *key,
                        uint64_t now_ms, struct ledger_budget *out)
{
    out->used = distinct_sets_count(ledger->distinct, key, now_ms);
    uint64_t at = distinct_sets_last_ms(ledger->distinct, key);
    out->empty_in_ms = at > now_ms ? at - now_ms : 0;
}

/* Of a copy, so that looking changes nothing. */
static void look_at_budget(struct ledger *ledger,
                           const struct expiring_key *key, bool is_mapped,
                           uint64_t now_ms, struct ledger_budget *out)
{
    struct gcra_result result;
    const struct budget *kept =
        expiring_table_find(budget_table_entries(ledger->budgets), key);
    if (kept == NULL)
        return;
    struct budget budget = *kept;
    if (is_mapped)
        out->rate = (struct rate){kept->amount, kept->scale_ms};
    gcra_hold(&budget, &out->rate, 0, 0, now_ms, &result);
    out->held = budget.held;
    out->used = result.before - budget.held;
    budget.held = 0;
    uint64_t at = gcra_idle_at_ms(&budget, &out->rate);
    out->empty_in_ms = out->used > 0 && at > now_ms ? at - now_ms : 0;
}

bool ledger_look(struct ledger *ledger, const struct ledger_target *target,
                 uint64_t now_ms, struct ledger_budget *out)
{
    const struct limit *limit = target->limit;
    struct expiring_key key =
        ledger_budget_key(ledger, target->rule, limit, target->key);
    now_ms = ledger_tick(ledger, now_ms);
    const struct boost *boost = find_boost(ledger, &key, now_ms);
    *out = (struct ledger_budget){.rate = limit->rate};
    out->rate.amount = times(limit->rate.amount, percent_of(boost));
    if (boost != NULL) {
        out->boost_percent = boost->percent;
        out->boost_left_ms =
            expiring_table_expiry(ledger->boosts, boost) - now_ms;
    }
    if (is_set(limit))
        look_at_set(ledger, &key, now_ms, out);
    else
        look_at_budget(ledger, &key, limit->value != NULL, now_ms, out);
    out->max = limit->burst != 0
                   ? ledger_boosted_max(limit, limit->burst, percent_of(boost))
                   : out->rate.amount;
    return out->used > 0 || out->held > 0 || boost != NULL;
}

/* --- beginning anew --- */

void ledger_reset(struct ledger *ledger, const struct ledger_target *target,
                  uint64_t now_ms)
{
    struct expiring_table *budgets = budget_table_entries(ledger->budgets);
    struct expiring_key key =
        ledger_budget_key(ledger, target->rule, target->limit, target->key);
    struct budget *budget = expiring_table_find(budgets, &key);
    now_ms = ledger_tick(ledger, now_ms);
    if (is_set(target->limit))
        distinct_sets_clear(ledger->distinct, &key);
    else if (budget != NULL) {
        budget->used = 0;
        if (budget->held == 0)
            expiring_table_set(budgets, budget, now_ms);
    }
    /* What was told of it is no longer so. */
    ledger_lose(ledger);
}
