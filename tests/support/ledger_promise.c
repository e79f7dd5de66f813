/* Against a model that is too simple to be wrong: thousands of random
 * interleavings of several sessions over a few keys, with random rates and
 * bursts, and a clock that jumps and sometimes goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/ledger_promise.h"

#include <stdlib.h>
#include <string.h>

#include "rules/limit.h"
#include "rules/rule.h"

enum { KEYS = 3, OPEN_MAX = 40 };

typedef unsigned __int128 wide;

/* A bucket in units x milliseconds of the period, exact; every commit with
 * its time. */
struct model {
    wide level;
    uint64_t at_ms, held;
    struct {
        uint64_t at_ms, cost;
    } commits[PROMISE_STEPS_MAX];
    size_t count, oldest;
};

struct world {
    const struct played_ledger *ledger;
    struct rule rule;
    struct limit limit;
    struct rate rate;
    enum promise_of play;
    uint64_t burst, now_ms, latest_ms;
    struct model models[KEYS];
    struct hold open[OPEN_MAX];
    int open_key[OPEN_MAX];
    size_t open_count;
    unsigned first_seed, seed;
};

static const struct str NAMES[KEYS] = {STR_INIT("bob"), STR_INIT("eve"),
                                       STR_INIT("")};

#define EXPECT(w, truth)                                                       \
    do {                                                                       \
        if (!(truth))                                                          \
            fail_msg("seed %u, at %llu ms, %llu/%llu ms, burst %llu: %s",      \
                     (w)->first_seed, (unsigned long long)(w)->now_ms,         \
                     (unsigned long long)(w)->rate.amount,                     \
                     (unsigned long long)(w)->rate.period_ms,                  \
                     (unsigned long long)(w)->burst, #truth);                  \
    } while (0)

static uint64_t pick(struct world *w, uint64_t below)
{
    uint64_t high = (uint64_t)rand_r(&w->seed);
    return (high << 20 ^ (uint64_t)rand_r(&w->seed)) % below;
}

/* --- the model --- */

/* The ledger is about to hear what time it is. */
static void tell_time(struct world *w)
{
    if (w->now_ms > w->latest_ms)
        w->latest_ms = w->now_ms;
}

static void model_drain(const struct world *w, struct model *m)
{
    wide drained = (wide)w->rate.amount * (w->latest_ms - m->at_ms);
    m->level = drained > m->level ? 0 : m->level - drained;
    m->at_ms = w->latest_ms;
}

static bool model_fits(const struct world *w, struct model *m, uint64_t cost)
{
    model_drain(w, m);
    return m->level + (wide)(m->held + cost) * w->rate.period_ms <=
           (wide)w->burst * w->rate.period_ms;
}

/* Never more than burst + amount within any period. */
static void model_commit(const struct world *w, struct model *m, uint64_t cost)
{
    uint64_t sum = 0;
    model_drain(w, m);
    m->level += (wide)cost * w->rate.period_ms;
    m->commits[m->count].at_ms = w->latest_ms;
    m->commits[m->count++].cost = cost;
    while (m->commits[m->oldest].at_ms + w->rate.period_ms <= w->latest_ms)
        m->oldest++;
    for (size_t i = m->oldest; i < m->count; i++)
        sum += m->commits[i].cost;
    EXPECT(w, sum <= w->burst + w->rate.amount);
    if (w->play !=
        PROMISE_BOTH) /* a refused charge may fill what others hold */
        EXPECT(w, m->level <= (wide)w->burst * w->rate.period_ms);
}

/* --- the ledger --- */

static struct answer ask_ledger(struct world *w, int key, uint64_t cost,
                                bool is_charge)
{
    struct answer answer;
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = &w->rule,
                                .limit = &w->limit,
                                .key = NAMES[key],
                                .cost = cost,
                                .max = w->burst,
                                .rate = w->rate,
                                .is_charge = is_charge};
    w->ledger->answer(w->ledger->owner, &question, w->now_ms, &answer);
    return answer;
}

static void hold_some(struct world *w, int key)
{
    struct model *m = &w->models[key];
    uint64_t cost = pick(w, w->burst / 3 + 3);
    if (w->open_count == OPEN_MAX)
        return;
    tell_time(w);
    bool fits = model_fits(w, m, cost);
    struct answer answer = ask_ledger(w, key, cost, false);
    EXPECT(w, answer.is_within == fits);
    if (!fits) {
        EXPECT(w, answer.retry_after_ms > 0);
        return;
    }
    m->held += cost;
    EXPECT(w, m->held <= w->burst);
    w->open_key[w->open_count] = key;
    w->open[w->open_count++] = (struct hold){.limit = &w->limit,
                                             .rule = &w->rule,
                                             .key = NAMES[key],
                                             .cost = cost,
                                             .charge = cost,
                                             .max = w->burst,
                                             .rate = w->rate,
                                             .token = answer.token};
}

static void charge_some(struct world *w, int key)
{
    struct model *m = &w->models[key];
    uint64_t cost = pick(w, 4);
    tell_time(w);
    bool fits = model_fits(w, m, cost);
    struct answer answer = ask_ledger(w, key, cost, true);
    EXPECT(w, answer.is_within == fits);
    wide brim = (wide)w->burst * w->rate.period_ms;
    if (fits)
        model_commit(w, m, cost);
    else if (m->level < brim)
        m->level = brim; /* who goes on trying stays out */
}

static void settle_some(struct world *w, bool commits)
{
    if (w->open_count == 0)
        return;
    tell_time(w);
    size_t i = (size_t)pick(w, w->open_count);
    struct hold hold = w->open[i];
    struct model *m = &w->models[w->open_key[i]];
    w->open_count--;
    w->open[i] = w->open[w->open_count];
    w->open_key[i] = w->open_key[w->open_count];
    m->held -= hold.cost;
    hold.charge = pick(w, 4) == 0 ? hold.cost / 2 : hold.cost;
    for (int twice = 0; twice < 2; twice++) {
        if (commits)
            w->ledger->commit(w->ledger->owner, &hold, w->now_ms);
        else
            w->ledger->give_back(w->ledger->owner, &hold, w->now_ms);
        EXPECT(w, hold.is_settled);
    }
    if (commits)
        model_commit(w, m, hold.charge);
}

/* Mostly onwards; now and then back, when time stands still for the ledger. */
static void pass_time(struct world *w)
{
    uint64_t step = pick(w, w->rate.period_ms / 5 + 2);
    if (pick(w, 8) == 0)
        w->now_ms -= step < w->now_ms ? step : w->now_ms;
    else
        w->now_ms += step;
}

static void one_step(struct world *w)
{
    int key = (int)pick(w, KEYS);
    unsigned what = (unsigned)pick(w, 6);
    pass_time(w);
    if (w->play == PROMISE_CHARGES || (w->play == PROMISE_BOTH && what == 0))
        charge_some(w, key);
    else if (what < 3)
        hold_some(w, key);
    else
        settle_some(w, what < 5);
}

void ledger_promise_play(const struct played_ledger *ledger, unsigned seed,
                         enum promise_of kind, size_t steps)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_true(steps <= PROMISE_STEPS_MAX);
    w->ledger = ledger;
    w->first_seed = w->seed = seed;
    w->play = kind;
    w->rule = (struct rule){.name = STR("r")};
    w->limit = (struct limit){.unit = UNIT_RECIPIENTS};
    w->rate = (struct rate){1 + pick(w, 200), 1 + pick(w, 7200000)};
    w->burst = 1 + pick(w, 2 * w->rate.amount);
    w->now_ms = w->latest_ms = 1 + pick(w, 1u << 30);
    for (int i = 0; i < KEYS; i++)
        w->models[i].at_ms = w->latest_ms;
    for (size_t step = 0; step < steps; step++)
        one_step(w);
    free(w);
}
