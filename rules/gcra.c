#include "rules/gcra.h"

typedef unsigned __int128 wide;

/* Nobody waits longer; in milliseconds. */
#define WAIT_MAX (1ULL << 53)

static uint64_t rounded_up(wide parts, uint64_t amount)
{
    wide wait = parts / amount + (parts % amount != 0);
    return wait > WAIT_MAX ? WAIT_MAX : (uint64_t)wait;
}

/* After a reload the same budget may have another period, and sessions of both
 * policies ask for it in turn: what is used stays the same, rounded up by less
 * than one part of a unit, so that a reload neither gives back nor takes.
 * Whole units apart from the rest, since the product of all would not fit. */
static void rescale(struct budget *budget, uint64_t period_ms)
{
    if (budget->scale_ms != period_ms && budget->scale_ms != 0) {
        wide scale = budget->scale_ms;
        wide rest = budget->used % scale * period_ms;
        budget->used =
            budget->used / scale * period_ms + (rest + scale - 1) / scale;
    }
    budget->scale_ms = period_ms;
}

static void drain(struct budget *budget, const struct rate *rate,
                  uint64_t now_ms)
{
    if (rate->period_ms == 0) {
        budget->used = 0;
        return;
    }
    rescale(budget, rate->period_ms);
    budget->amount = rate->amount;
    /* A clock that went back drains nothing. */
    if (now_ms <= budget->at_ms)
        return;
    wide drained = (wide)rate->amount * (now_ms - budget->at_ms);
    budget->used = drained >= budget->used ? 0 : budget->used - drained;
    budget->at_ms = now_ms;
}

static uint64_t used_units(const struct budget *budget)
{
    wide scale = budget->scale_ms;
    return scale == 0 ? 0 : (uint64_t)((budget->used + scale - 1) / scale);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* How long until `cost` fits, were nothing else to happen. */
static uint64_t wait_ms(const struct budget *budget, const struct rate *rate,
                        uint64_t burst, uint64_t cost)
{
    uint64_t room = burst > budget->held ? burst - budget->held : 0;
    if (rate->period_ms == 0)
        return 1000;
    /* What can never fit, or not before holds end: a whole period. */
    if (cost > room)
        return rate->period_ms;
    wide allowed = (wide)(room - cost) * rate->period_ms;
    if (budget->used <= allowed)
        return 0;
    return rounded_up(budget->used - allowed, rate->amount);
}

static bool fits(const struct budget *budget, const struct rate *rate,
                 uint64_t burst, uint64_t cost)
{
    if (budget->held > burst || cost > burst - budget->held)
        return false;
    wide room = (wide)(burst - budget->held - cost) * rate->period_ms;
    return budget->used <= room;
}

static void judge(struct budget *budget, const struct rate *rate,
                  uint64_t burst, uint64_t cost, uint64_t now_ms,
                  struct gcra_result *result)
{
    drain(budget, rate, now_ms);
    *result = (struct gcra_result){
        .is_within = fits(budget, rate, burst, cost),
        .before = sum(used_units(budget), budget->held),
    };
    result->after = result->before;
    if (result->is_within)
        result->after = sum(result->before, cost);
    else
        result->retry_after_ms = wait_ms(budget, rate, burst, cost);
    result->is_held_up = !result->is_within && cost <= burst &&
                         (budget->held > burst || cost > burst - budget->held);
}

void gcra_hold(struct budget *budget, const struct rate *rate, uint64_t burst,
               uint64_t cost, uint64_t now_ms, struct gcra_result *result)
{
    judge(budget, rate, burst, cost, now_ms, result);
    if (result->is_within)
        budget->held += cost;
}

void gcra_charge(struct budget *budget, const struct rate *rate, uint64_t burst,
                 uint64_t cost, uint64_t now_ms, struct gcra_result *result)
{
    judge(budget, rate, burst, cost, now_ms, result);
    wide brim = (wide)burst * rate->period_ms;
    if (result->is_within) {
        budget->used += (wide)cost * rate->period_ms;
        return;
    }
    if (budget->used < brim)
        budget->used = brim;
    /* This attempt has made the wait longer. */
    result->retry_after_ms = wait_ms(budget, rate, burst, cost);
}

void gcra_commit(struct budget *budget, const struct rate *rate, uint64_t held,
                 uint64_t charge, uint64_t now_ms)
{
    drain(budget, rate, now_ms);
    gcra_give_back(budget, held);
    budget->used += (wide)charge * rate->period_ms;
}

void gcra_give_back(struct budget *budget, uint64_t held)
{
    budget->held = held >= budget->held ? 0 : budget->held - held;
}

uint64_t gcra_idle_at_ms(const struct budget *budget, const struct rate *rate)
{
    if (budget->held > 0)
        return UINT64_MAX;
    if (budget->used == 0 || rate->amount == 0)
        return budget->at_ms;
    uint64_t wait = rounded_up(budget->used, rate->amount);
    return wait >= UINT64_MAX - budget->at_ms ? UINT64_MAX - 1
                                              : budget->at_ms + wait;
}
