#include "proxy/control/budget_fullness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"
#include "rules/ruleset.h"

#define WALK_MS 10000
/* With a lock held. */
#define ENTRIES_AT_ONCE 256
#define RATES_MAX 256

/* What may be used at once where this drains. */
struct rate_of_rule {
    uint64_t amount, period_ms, burst;
};

struct budget_fullness {
    pthread_mutex_t lock;
    bool has_sum;
    uint64_t walked_ms;
    struct fullness_sum sum;
    struct rate_of_rule rates[RATES_MAX];
    size_t rate_count;
    uint64_t now_ms; /* of the walk, on the ledger's clock */
};

struct budget_fullness *budget_fullness_new(void)
{
    struct budget_fullness *fullness = calloc(1, sizeof *fullness);
    if (fullness != NULL)
        pthread_mutex_init(&fullness->lock, NULL);
    return fullness;
}

void budget_fullness_free(struct budget_fullness *fullness)
{
    if (fullness == NULL)
        return;
    pthread_mutex_destroy(&fullness->lock);
    free(fullness);
}

/* Of two limits with the same rate the smaller burst counts. */
static void learn_rate(struct budget_fullness *fullness,
                       const struct limit *limit)
{
    const struct rate *rate = &limit->rate;
    uint64_t burst = limit->burst > 0 ? limit->burst : rate->amount;
    if (limit->value != NULL || rate->period_ms == 0)
        return;
    for (size_t i = 0; i < fullness->rate_count; i++) {
        struct rate_of_rule *one = &fullness->rates[i];
        if (one->amount != rate->amount || one->period_ms != rate->period_ms)
            continue;
        one->burst = burst < one->burst ? burst : one->burst;
        return;
    }
    if (fullness->rate_count < RATES_MAX)
        fullness->rates[fullness->rate_count++] =
            (struct rate_of_rule){rate->amount, rate->period_ms, burst};
}

static void learn_rates(struct budget_fullness *fullness,
                        const struct ruleset *rules)
{
    fullness->rate_count = 0;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        for (size_t i = 0; i < ruleset_count(rules, stage); i++) {
            const struct rule *rule = ruleset_rule(rules, stage, i);
            if (rule->mode != RULE_OFF && rule->limit != NULL)
                learn_rate(fullness, rule->limit);
        }
}

static uint64_t burst_of(const struct budget_fullness *fullness,
                         const struct budget *budget)
{
    for (size_t i = 0; i < fullness->rate_count; i++)
        if (fullness->rates[i].amount == budget->amount &&
            fullness->rates[i].period_ms == budget->scale_ms)
            return fullness->rates[i].burst;
    return budget->amount;
}

static enum fullness fullness_of(unsigned __int128 used, uint64_t burst)
{
    unsigned __int128 whole = burst;
    if (used * 100 < whole * 50)
        return FULLNESS_UNDER_50;
    if (used * 100 < whole * 80)
        return FULLNESS_50_80;
    return used < burst ? FULLNESS_80_100 : FULLNESS_FULL;
}

/* A budget drains evenly, until it is empty. */
static void on_entry(void *owner, const struct ledger_entry *entry)
{
    struct budget_fullness *fullness = owner;
    const struct budget *budget = &entry->budget;
    if (entry->kind == LEDGER_MEMBER)
        fullness->sum.in_use++;
    if (entry->kind != LEDGER_BUDGET || budget->scale_ms == 0)
        return;
    uint64_t since_ms =
        fullness->now_ms > budget->at_ms ? fullness->now_ms - budget->at_ms : 0;
    unsigned __int128 drained = (unsigned __int128)budget->amount * since_ms;
    if (budget->used <= drained)
        return;
    unsigned __int128 used =
        (budget->used - drained + budget->scale_ms - 1) / budget->scale_ms;
    fullness->sum.in_use++;
    fullness->sum.keys[fullness_of(used, burst_of(fullness, budget))]++;
}

static void walk(struct budget_fullness *fullness, struct shared_ledger *ledger)
{
    for (size_t shard = 0; shard < SHARED_LEDGER_SHARDS; shard++) {
        struct shared_ledger_walk at = {.shard = shard};
        while (at.shard == shard && at.kind <= LEDGER_MEMBER &&
               shared_ledger_walk(ledger, &at, ENTRIES_AT_ONCE, on_entry,
                                  fullness))
            continue;
    }
}

struct fullness_sum budget_fullness_look(struct budget_fullness *fullness,
                                         struct shared_ledger *ledger,
                                         const struct ruleset *rules,
                                         uint64_t now_ms)
{
    uint8_t secret[16];
    pthread_mutex_lock(&fullness->lock);
    if (!fullness->has_sum || now_ms - fullness->walked_ms >= WALK_MS) {
        fullness->now_ms = now_ms + shared_ledger_identity(ledger, secret);
        explicit_bzero(secret, sizeof secret);
        fullness->sum = (struct fullness_sum){0};
        learn_rates(fullness, rules);
        walk(fullness, ledger);
        fullness->walked_ms = now_ms;
        fullness->has_sum = true;
    }
    struct fullness_sum sum = fullness->sum;
    pthread_mutex_unlock(&fullness->lock);
    return sum;
}
