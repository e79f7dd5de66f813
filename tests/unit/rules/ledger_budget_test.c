#include "rules/ledger_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/ledger.h"
#include "rules/ledger_entry.h"
#include "rules/limit.h"
#include "rules/rule.h"

enum { NOW = 1000000, HOUR = 3600000 };

static const uint8_t SECRET[16] = "a secret of ours";
static const struct rule RULE = {.name = STR_INIT("r")};
static const struct limit RECIPIENTS = {
    .unit = UNIT_RECIPIENTS, .rate = {60, HOUR}, .burst = 10};
static const struct limit NETWORKS = {.unit = UNIT_NETWORKS, .rate = {3, HOUR}};

static int open_ledger(void **state)
{
    *state = ledger_new(1000, SECRET);
    return *state == NULL;
}

static int close_ledger(void **state)
{
    ledger_free(*state);
    return 0;
}

static struct ledger_target target_of(const struct limit *limit)
{
    return (struct ledger_target){&RULE, limit, STR("bob")};
}

static bool ask(struct ledger *ledger, const struct limit *limit,
                const char *member, bool is_charge, uint64_t now_ms,
                struct answer *answer)
{
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = &RULE,
                                .limit = limit,
                                .key = STR("bob"),
                                .cost = 1,
                                .max = limit->burst > 0 ? limit->burst
                                                        : limit->rate.amount,
                                .rate = limit->rate,
                                .is_charge = is_charge};
    if (member != NULL)
        question.member = str_from(member);
    ledger_answer(ledger, &question, now_ms, answer);
    return answer->is_within;
}

static unsigned how_many(struct ledger *ledger, uint64_t now_ms)
{
    struct answer answer;
    unsigned count = 0;
    while (ask(ledger, &RECIPIENTS, NULL, true, now_ms, &answer))
        count++;
    return count;
}

static void what_is_used_and_held_is_told(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&RECIPIENTS);
    struct ledger_budget budget;
    struct answer answer;
    assert_false(ledger_look(ledger, &target, NOW, &budget));
    assert_int_equal(budget.max, 10);
    for (int i = 0; i < 4; i++)
        assert_true(ask(ledger, &RECIPIENTS, NULL, i > 0, NOW, &answer));
    assert_int_equal(answer.max, 10);
    for (int twice = 0; twice < 2; twice++) {
        assert_true(ledger_look(ledger, &target, NOW, &budget));
        assert_int_equal(budget.used, 3);
        assert_int_equal(budget.held, 1);
        assert_int_equal(budget.max, 10);
        assert_int_equal(budget.rate.amount, 60);
        assert_int_equal(budget.empty_in_ms, 3 * 60000);
        assert_int_equal(budget.boost_percent, 0);
    }
    assert_true(ledger_look(ledger, &target, NOW + 90000, &budget));
    assert_int_equal(budget.used, 2); /* one and a half */
    assert_int_equal(budget.empty_in_ms, 90000);
}

static void a_set_is_told_too(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&NETWORKS);
    struct ledger_budget budget;
    struct answer answer;
    assert_true(ask(ledger, &NETWORKS, "192.0.2.1", true, NOW, &answer));
    assert_true(ask(ledger, &NETWORKS, "192.0.2.2", true, NOW + 9, &answer));
    assert_true(ledger_look(ledger, &target, NOW + 10, &budget));
    assert_int_equal(budget.used, 2);
    assert_int_equal(budget.max, 3);
    assert_int_equal(budget.empty_in_ms, HOUR - 1);
}

static void a_reset_leaves_nothing_used(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&RECIPIENTS);
    struct ledger_target set = target_of(&NETWORKS);
    struct ledger_budget budget;
    struct answer answer;
    assert_int_equal(how_many(ledger, NOW), 10);
    ledger_reset(ledger, &target, NOW);
    assert_false(ledger_look(ledger, &target, NOW, &budget));
    assert_true(ledger_take_lost(ledger)); /* the journal hears of it */
    assert_int_equal(how_many(ledger, NOW), 10);
    assert_true(ask(ledger, &NETWORKS, "192.0.2.1", true, NOW, &answer));
    ledger_reset(ledger, &set, NOW);
    assert_false(ledger_look(ledger, &set, NOW, &budget));
    for (int i = 1; i <= 4; i++) {
        const char net[] = {(char)('0' + i), 0};
        assert_int_equal(ask(ledger, &NETWORKS, net, true, NOW, &answer),
                         i < 4);
    }
    /* What was never used is fine too. */
    target.key = STR("eve");
    set.key = STR("eve");
    ledger_reset(ledger, &target, NOW);
    ledger_reset(ledger, &set, NOW);
}

static void what_is_held_stays_over_a_reset(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&RECIPIENTS);
    struct ledger_budget budget;
    struct answer answer;
    for (int i = 0; i < 3; i++)
        assert_true(ask(ledger, &RECIPIENTS, NULL, false, NOW, &answer));
    assert_int_equal(how_many(ledger, NOW), 7);
    ledger_reset(ledger, &target, NOW);
    assert_true(ledger_look(ledger, &target, NOW, &budget));
    assert_int_equal(budget.used, 0);
    assert_int_equal(budget.held, 3);
    assert_int_equal(how_many(ledger, NOW), 7);
}

static void a_boost_holds_for_its_time(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&RECIPIENTS);
    struct ledger_budget budget;
    struct answer answer;
    assert_int_equal(how_many(ledger, NOW), 10);
    assert_true(ledger_boost(ledger, &target, 250, HOUR, NOW));
    assert_int_equal(how_many(ledger, NOW), 15);
    assert_false(ask(ledger, &RECIPIENTS, NULL, false, NOW, &answer));
    assert_int_equal(answer.max, 25);
    assert_true(ledger_look(ledger, &target, NOW + 1000, &budget));
    assert_int_equal(budget.max, 25);
    assert_int_equal(budget.rate.amount, 150);
    assert_int_equal(budget.boost_percent, 250);
    assert_int_equal(budget.boost_left_ms, HOUR - 1000);
    /* It drains faster too: two and a half a minute. */
    assert_int_equal(how_many(ledger, NOW + 120000), 5);
    assert_true(ledger_look(ledger, &target, NOW + HOUR - 1, &budget));
    assert_true(budget.boost_percent > 0);
    assert_int_equal(how_many(ledger, NOW + HOUR), 10);
    (void)ledger_look(ledger, &target, NOW + HOUR, &budget);
    assert_int_equal(budget.boost_percent, 0);
}

/* The time before it does not drain as if it had been boosted already. */
static void a_boost_begins_when_it_is_given(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&RECIPIENTS);
    assert_int_equal(how_many(ledger, NOW), 10);
    assert_true(ledger_boost(ledger, &target, 300, HOUR, NOW + 60000));
    /* One of the ten has drained, and thirty fit. */
    assert_int_equal(how_many(ledger, NOW + 60000), 21);
}

static void a_boost_can_be_ended_and_be_less(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&RECIPIENTS);
    struct ledger_budget budget;
    assert_true(ledger_boost(ledger, &target, 50, HOUR, NOW));
    assert_int_equal(how_many(ledger, NOW), 5);
    assert_true(ledger_boost(ledger, &target, 100, 0, NOW));
    assert_int_equal(how_many(ledger, NOW), 5);
    assert_true(ledger_look(ledger, &target, NOW, &budget));
    assert_int_equal(budget.boost_percent, 0);
    assert_true(ledger_boost(ledger, &target, 1, HOUR, NOW));
    assert_true(ledger_look(ledger, &target, NOW, &budget));
    assert_int_equal(budget.max, 1); /* never nothing at all */
}

/* Held under a boost, committed after it: charged once, at the rule's rate. */
static void what_a_boost_let_in_is_settled_after_it(void **state)
{
    struct ledger *ledger = *state;
    struct ledger_target target = target_of(&RECIPIENTS);
    struct ledger_budget budget;
    struct answer answer;
    struct hold hold = {.rule = &RULE,
                        .limit = &RECIPIENTS,
                        .key = STR("bob"),
                        .cost = 1,
                        .charge = 1,
                        .max = 10,
                        .rate = RECIPIENTS.rate};
    assert_true(ledger_boost(ledger, &target, 200, 1000, NOW));
    for (int i = 0; i < 20; i++)
        assert_true(ask(ledger, &RECIPIENTS, NULL, false, NOW, &answer));
    for (int i = 0; i < 20; i++) {
        struct hold one = hold;
        ledger_commit(ledger, &one, NOW + 1000);
    }
    assert_true(ledger_look(ledger, &target, NOW + 1000, &budget));
    assert_int_equal(budget.used, 20);
    assert_int_equal(budget.held, 0);
    assert_int_equal(budget.empty_in_ms, 20 * 60000);
    assert_false(ask(ledger, &RECIPIENTS, NULL, true, NOW + 1000, &answer));
}

static void boosts_are_bounded_and_kept(void **state)
{
    struct ledger *ledger = *state, *next = ledger_new(1000, SECRET);
    struct ledger_target target = target_of(&RECIPIENTS);
    struct ledger_budget budget;
    struct ledger_entry entry;
    size_t given = 0;
    assert_non_null(next);
    ledger_watch(ledger);
    assert_true(ledger_boost(ledger, &target, 200, HOUR, NOW));
    assert_true(ledger_take_change(ledger, &entry));
    assert_int_equal(entry.kind, LEDGER_BOOST);
    assert_int_equal(entry.boost_percent, 200);
    assert_int_equal(entry.until_ms, NOW + HOUR);
    assert_true(ledger_restore(next, &entry, NOW));
    assert_true(ledger_look(next, &target, NOW, &budget));
    assert_int_equal(budget.boost_percent, 200);
    assert_int_equal(how_many(next, NOW), 20);
    /* That it has ended is kept too. */
    assert_true(ledger_boost(ledger, &target, 100, 0, NOW));
    assert_true(ledger_take_change(ledger, &entry));
    assert_true(ledger_restore(next, &entry, NOW));
    assert_int_equal(how_many(next, NOW), 0);
    assert_true(ledger_look(next, &target, NOW, &budget));
    assert_int_equal(budget.boost_percent, 0);
    for (char name[] = "aa"; name[0] <= 'z'; name[0]++)
        for (name[1] = 'a'; name[1] <= 'z'; name[1]++) {
            target.key = str_from(name);
            given += ledger_boost(ledger, &target, 200, HOUR, NOW);
        }
    assert_true(given > 0 && given < 26 * 26);
    /* What can't be true is not restored. */
    entry.until_ms = NOW + HOUR;
    entry.boost_percent = 0;
    assert_false(ledger_restore(next, &entry, NOW));
    entry.boost_percent = 200;
    entry.until_ms = UINT64_MAX;
    assert_false(ledger_restore(next, &entry, NOW));
    ledger_free(next);
}

#define WITH_LEDGER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, open_ledger, close_ledger)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(what_is_used_and_held_is_told),
        WITH_LEDGER(a_set_is_told_too),
        WITH_LEDGER(a_reset_leaves_nothing_used),
        WITH_LEDGER(what_is_held_stays_over_a_reset),
        WITH_LEDGER(a_boost_holds_for_its_time),
        WITH_LEDGER(a_boost_begins_when_it_is_given),
        WITH_LEDGER(a_boost_can_be_ended_and_be_less),
        WITH_LEDGER(what_a_boost_let_in_is_settled_after_it),
        WITH_LEDGER(boosts_are_bounded_and_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
