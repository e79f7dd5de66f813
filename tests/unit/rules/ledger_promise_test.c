/* What the ledger promises, against a model that is too simple to be wrong:
 * thousands of random interleavings of several sessions over a few keys, with
 * random rates and bursts, and a clock that jumps and sometimes goes back. In
 * every second play two ledgers over one memory take turns at random. */
#include "tests/unit/rules/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "rules/ruleset_internal.h"

enum { KEYS = 3, OPEN_MAX = 40, STEPS = 4000, PLAYS = 60 };

typedef unsigned __int128 wide;

enum play_of { HOLDS, CHARGES, BOTH };

/* A bucket in units x milliseconds of the period, exact; every commit with
 * its time. */
struct model {
    wide level;
    uint64_t at_ms, held;
    struct {
        uint64_t at_ms, cost;
    } commits[STEPS];
    size_t count, oldest;
};

struct world {
    struct ledger *ledgers[2];
    void *memory; /* that both are placed over; NULL: there is only one */
    struct rule rule;
    struct limit limit;
    struct rate rate;
    enum play_of play;
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
    if (w->play != BOTH) /* a refused charge may fill what others hold */
        EXPECT(w, m->level <= (wide)w->burst * w->rate.period_ms);
}

/* --- the ledger --- */

static void open_ledgers(struct world *w, bool is_placed)
{
    static const uint8_t SECRET[16] = "0123456789abcde";
    if (!is_placed) {
        w->ledgers[0] = ledger_new(KEYS, SECRET);
        assert_non_null(w->ledgers[0]);
        return;
    }
    size_t octets = ledger_octets(KEYS);
    w->memory = aligned_alloc(64, octets);
    assert_non_null(w->memory);
    memset(w->memory, 0, octets);
    for (unsigned i = 0; i < 2; i++) {
        w->ledgers[i] = ledger_place(w->memory, KEYS, SECRET, i);
        assert_non_null(w->ledgers[i]);
    }
}

static struct ledger *some_ledger(struct world *w)
{
    return w->ledgers[w->memory == NULL ? 0 : pick(w, 2)];
}

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
    ledger_answer(some_ledger(w), &question, w->now_ms, &answer);
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
                                             .rate = w->rate};
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
            ledger_commit(some_ledger(w), &hold, w->now_ms);
        else
            ledger_give_back(some_ledger(w), &hold, w->now_ms);
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
    if (w->play == CHARGES || (w->play == BOTH && what == 0))
        charge_some(w, key);
    else if (what < 3)
        hold_some(w, key);
    else
        settle_some(w, what < 5);
}

static void play(unsigned seed, enum play_of kind)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->first_seed = w->seed = seed;
    w->play = kind;
    w->rule = (struct rule){.name = STR("r")};
    w->limit = (struct limit){.unit = UNIT_RECIPIENTS};
    w->rate = (struct rate){1 + pick(w, 200), 1 + pick(w, 7200000)};
    w->burst = 1 + pick(w, 2 * w->rate.amount);
    w->now_ms = w->latest_ms = pick(w, 1u << 30);
    for (int i = 0; i < KEYS; i++)
        w->models[i].at_ms = w->latest_ms;
    open_ledgers(w, seed % 2 == 0);
    for (int step = 0; step < STEPS; step++)
        one_step(w);
    for (int i = 0; i < 2; i++)
        ledger_free(w->ledgers[i]);
    free(w->memory);
    free(w);
}

static void holds_keep_the_promise(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= PLAYS; seed++)
        play(seed, HOLDS);
}

/* What is charged without room fills the bucket but is not let through. */
static void charges_keep_the_promise(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= PLAYS; seed++)
        play(seed, CHARGES);
}

static void both_together_keep_the_promise(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= PLAYS; seed++)
        play(seed, BOTH);
}

static void wire_O08_a_full_ledger_never_forgets_a_debt(void **state)
{
    enum { ROOM = 64, FLOOD = 5000 };
    static const uint8_t SECRET[16] = "0123456789abcde";
    struct rule rule = {.name = STR("r")};
    struct limit limit = {.unit = UNIT_MESSAGES};
    struct ledger *ledger = ledger_new(ROOM, SECRET);
    size_t taken = 0;
    (void)state;
    assert_non_null(ledger);
    for (unsigned i = 0; i < FLOOD; i++) {
        char name[16];
        struct answer answer;
        snprintf(name, sizeof name, "user%u", i);
        struct question question = {.kind = QUESTION_HOLD,
                                    .rule = &rule,
                                    .limit = &limit,
                                    .key = str_from(name),
                                    .cost = 1,
                                    .max = 1,
                                    .rate = {1, 3600000},
                                    .is_charge = true};
        ledger_answer(ledger, &question, 1000, &answer);
        taken += answer.is_within;
        assert_int_equal(answer.is_within, i < ROOM);
        /* Whoever is in debt stays so, however many come. */
        question.key = STR("user0");
        ledger_answer(ledger, &question, 2000, &answer);
        assert_false(answer.is_within);
    }
    assert_int_equal(taken, ROOM);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_keep_the_promise),
        cmocka_unit_test(charges_keep_the_promise),
        cmocka_unit_test(both_together_keep_the_promise),
        cmocka_unit_test(wire_O08_a_full_ledger_never_forgets_a_debt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
