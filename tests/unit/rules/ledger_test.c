#include "tests/unit/rules/fixture.h"

#include <stdlib.h>

#include "rules/ruleset_internal.h"

/* Against a model that keeps every commit with its time: thousands of random
 * holds, commits, returns and charges on a few keys, while time passes in
 * odd steps. */
enum { KEYS = 3, OPEN_MAX = 40, COMMITS_MAX = 20000 };

struct model {
    double used;    /* units */
    uint64_t at_ms; /* as of when */
    uint64_t held;
    uint64_t commit_at[COMMITS_MAX], commit_cost[COMMITS_MAX];
    size_t commits, oldest;
};

struct world {
    struct fixture f;
    const struct rule *rule;
    struct rate rate;
    uint64_t burst;
    struct model *models; /* KEYS of them */
    struct hold open[OPEN_MAX];
    int open_key[OPEN_MAX];
    size_t open_count;
    unsigned seed;
};

static void model_drain(const struct world *w, struct model *m)
{
    double drained = (double)(w->f.now_ms - m->at_ms) * (double)w->rate.amount /
                     (double)w->rate.period_ms;
    m->used = drained > m->used ? 0 : m->used - drained;
    m->at_ms = w->f.now_ms;
}

/* The promise: never more than burst + amount in any period. */
static void model_commit(const struct world *w, struct model *m, uint64_t cost)
{
    uint64_t sum = cost;
    model_drain(w, m);
    m->used += (double)cost;
    assert_true(m->commits < COMMITS_MAX);
    m->commit_at[m->commits] = w->f.now_ms;
    m->commit_cost[m->commits++] = cost;
    while (m->commit_at[m->oldest] + w->rate.period_ms <= w->f.now_ms)
        m->oldest++;
    for (size_t i = m->oldest; i + 1 < m->commits; i++)
        sum += m->commit_cost[i];
    assert_true(sum <= w->burst + w->rate.amount);
}

static struct str key_name(int key)
{
    static const struct str NAMES[KEYS] = {STR_INIT("bob"), STR_INIT("eve"),
                                           STR_INIT("")};
    return NAMES[key];
}

static struct answer ask_ledger(struct world *w, int key, uint64_t cost)
{
    struct answer answer;
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = w->rule,
                                .limit = w->rule->limit,
                                .key = key_name(key),
                                .cost = cost,
                                .max = w->burst,
                                .rate = w->rate};
    ledger_answer(w->f.ledger, &question, w->f.now_ms, &answer);
    return answer;
}

static void hold_some(struct world *w, int key)
{
    struct model *m = &w->models[key];
    uint64_t cost = (uint64_t)rand_r(&w->seed) % 4;
    if (w->open_count == OPEN_MAX)
        return;
    model_drain(w, m);
    double sum = m->used + (double)m->held + (double)cost;
    struct answer answer = ask_ledger(w, key, cost);
    /* The model counts in floating point: at the very edge it may not say. */
    if (sum < (double)w->burst - 1e-6)
        assert_true(answer.is_within);
    if (sum > (double)w->burst + 1e-6)
        assert_false(answer.is_within);
    if (!answer.is_within)
        return;
    m->held += cost;
    w->open_key[w->open_count] = key;
    w->open[w->open_count++] = (struct hold){.limit = w->rule->limit,
                                             .rule = w->rule,
                                             .key = key_name(key),
                                             .cost = cost,
                                             .charge = cost,
                                             .max = w->burst,
                                             .rate = w->rate};
}

static void settle_some(struct world *w, bool commits)
{
    if (w->open_count == 0)
        return;
    size_t i = (size_t)rand_r(&w->seed) % w->open_count;
    struct hold hold = w->open[i];
    int key = w->open_key[i];
    struct model *m = &w->models[key];
    w->open_count--;
    w->open[i] = w->open[w->open_count];
    w->open_key[i] = w->open_key[w->open_count];
    m->held -= hold.cost;
    if (commits) {
        ledger_commit(w->f.ledger, &hold, w->f.now_ms);
        model_commit(w, m, hold.cost);
        /* Settled once: a second time does nothing. */
        ledger_commit(w->f.ledger, &hold, w->f.now_ms);
    } else {
        ledger_give_back(w->f.ledger, &hold, w->f.now_ms);
        ledger_give_back(w->f.ledger, &hold, w->f.now_ms);
    }
    assert_true(hold.is_settled);
}

static void play(const char *rate, uint64_t burst, unsigned seed)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->models = calloc(KEYS, sizeof *w->models);
    assert_non_null(w->models);
    print_message("rate %s, burst %llu, seed %u\n", rate,
                  (unsigned long long)burst, seed);
    fixture_init(&w->f);
    rule(&w->f, STAGE_RCPT, "r");
    limit(&w->f, "recipients", rate);
    reject(&w->f, "550 no");
    end(&w->f);
    finish(&w->f);
    w->rule = w->f.ruleset->stages[STAGE_RCPT].items[0];
    w->rate = w->rule->limit->rate;
    w->burst = burst;
    w->seed = seed;
    for (int step = 0; step < 10000; step++) {
        int key = rand_r(&w->seed) % KEYS;
        switch (rand_r(&w->seed) % 5) {
        case 0:
        case 1:
            hold_some(w, key);
            break;
        case 2:
            settle_some(w, true);
            break;
        case 3:
            settle_some(w, rand_r(&w->seed) % 2 == 0);
            break;
        default:
            w->f.now_ms +=
                (uint64_t)rand_r(&w->seed) % (w->rate.period_ms / 10 + 2);
        }
    }
    fixture_release(&w->f);
    free(w->models);
    free(w);
}

static void random_interleavings_keep_the_promise(void **state)
{
    (void)state;
    play("7/s", 7, 1);
    play("7/s", 1, 2);
    play("3/10m", 9, 3);
    play("100/h", 10, 4);
    play("1/d", 3, 5);
    play("11/7ms", 4, 6);
}

static void budgets_are_told_apart_by_rule_unit_and_key(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    static const char *const NAMES[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) {
        rule(&f, STAGE_AUTH, NAMES[i]);
        limit(&f, "failures", "1/h");
        limit(&f, "by", "{auth.name}");
        reject(&f, "535 no");
        end(&f);
    }
    finish(&f);
    know(&f, FACT_AUTH_RESULT, "failed");
    know(&f, FACT_AUTH_NAME, "bob");
    assert_int_equal(ask(&f, STAGE_AUTH), 0);
    know(&f, FACT_AUTH_NAME, "eve");
    assert_int_equal(ask(&f, STAGE_AUTH), 0);
    know(&f, FACT_AUTH_NAME, "BOB");
    assert_int_equal(ask(&f, STAGE_AUTH), 535);
    assert_int_equal(f.effects.use_count, 5);
    fixture_release(&f);
}

static void a_question_and_its_hold_fall_into_one_shard(void **state)
{
    static const uint8_t SECRET[16] = "x";
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "recipients", "5/h");
    limit(&f, "by", "{rcpt.to}");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    know(&f, FACT_RCPT_TO, "A@b.example");
    struct evaluation e;
    struct question question;
    evaluate_start(&e, f.ruleset, STAGE_RCPT, &f.facts, &f.effects, f.scratch);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_QUESTION);
    assert_str(question.key, "a@b.example");
    struct answer answer = {.is_within = true, .after = 1};
    evaluate_answer(&e, &answer);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_VERDICT);
    assert_int_equal(f.effects.hold_count, 1);
    struct question asked = {.kind = QUESTION_HOLD,
                             .rule = f.effects.holds[0].rule,
                             .limit = f.effects.holds[0].limit,
                             .key = STR("a@b.example")};
    assert_int_equal(ledger_hash_question(&asked, SECRET),
                     ledger_hash_hold(&f.effects.holds[0], SECRET));
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_interleavings_keep_the_promise),
        cmocka_unit_test(budgets_are_told_apart_by_rule_unit_and_key),
        cmocka_unit_test(a_question_and_its_hold_fall_into_one_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
