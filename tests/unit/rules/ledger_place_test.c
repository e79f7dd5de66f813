/* Two ledgers over one memory, as the processes of an upgrade have them. */
#include "rules/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/ledger_entry.h"
#include "rules/limit.h"
#include "rules/list.h"
#include "rules/rule.h"

enum { KEYS = 100, MAX = 3, HOUR = 3600000 };

static const uint8_t SECRET[16] = "a secret of ours";
static const struct rule RULE = {.name = STR_INIT("r")};
static const struct limit RECIPIENTS = {.unit = UNIT_RECIPIENTS};
static const struct limit NETWORKS = {.unit = UNIT_NETWORKS};
static const struct limit NEW_RECIPIENTS = {.unit = UNIT_NEW_RECIPIENTS};

struct pair {
    void *memory;
    struct ledger *old, *new;
};

static int open_pair(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->memory = aligned_alloc(64, ledger_octets(KEYS));
    assert_non_null(pair->memory);
    memset(pair->memory, 0, ledger_octets(KEYS));
    pair->old = ledger_place(pair->memory, KEYS, SECRET, 2);
    pair->new = ledger_place(pair->memory, KEYS, SECRET, 5);
    assert_non_null(pair->old);
    assert_non_null(pair->new);
    *state = pair;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *pair = *state;
    ledger_free(pair->old);
    ledger_free(pair->new);
    free(pair->memory);
    free(pair);
    return 0;
}

static struct hold hold_of(const struct limit *limit, const char *member)
{
    struct hold hold = {.rule = &RULE,
                        .limit = limit,
                        .key = STR("bob"),
                        .cost = 1,
                        .charge = 1,
                        .max = MAX,
                        .rate = {MAX, HOUR}};
    if (member != NULL)
        hold.member = str_from(member);
    return hold;
}

static bool take(struct ledger *ledger, const struct hold *hold)
{
    struct answer answer;
    const struct question question = {.kind = QUESTION_HOLD,
                                      .rule = hold->rule,
                                      .limit = hold->limit,
                                      .key = hold->key,
                                      .member = hold->member,
                                      .cost = hold->cost,
                                      .max = hold->max,
                                      .rate = hold->rate};
    ledger_answer(ledger, &question, 1000, &answer);
    return answer.is_within;
}

static void both_count_in_one_budget(void **state)
{
    const struct pair *pair = *state;
    struct hold hold = hold_of(&RECIPIENTS, NULL);
    assert_true(take(pair->old, &hold));
    assert_true(take(pair->new, &hold));
    ledger_commit(pair->new, &hold, 1000);
    assert_true(take(pair->old, &hold));
    assert_false(take(pair->new, &hold));
    assert_false(take(pair->old, &hold));
}

static void both_see_lists_and_known_nets(void **state)
{
    const struct pair *pair = *state;
    struct list list = {.name = STR("contained"), .is_dynamic = true};
    struct list_change change = {.list = &list, .value = STR("bob")};
    struct question asked = {
        .kind = QUESTION_LISTED, .list = &list, .value = STR("bob")};
    struct answer answer;
    struct ledger_entry entry;
    assert_true(ledger_apply(pair->old, &change, 1000));
    ledger_answer(pair->new, &asked, 1000, &answer);
    assert_true(answer.is_listed);
    assert_true(ledger_entry_at(pair->new, LEDGER_LISTED, 0, &entry));
    assert_true(str_equals(entry.list, STR("contained")));
    assert_true(str_equals(entry.value, STR("bob")));
    ledger_know(pair->new, STR("bob"), STR("192.0.2.1"), 1000);
    assert_true(ledger_knows(pair->old, STR("bob"), STR("192.0.2.1"), 1001));
}

static void a_change_by_one_is_taken_by_the_other(void **state)
{
    const struct pair *pair = *state;
    struct ledger_entry entry;
    struct hold hold = hold_of(&RECIPIENTS, NULL);
    ledger_watch(pair->new);
    assert_true(take(pair->old, &hold));
    ledger_commit(pair->old, &hold, 1000);
    assert_true(ledger_take_change(pair->new, &entry));
    assert_int_equal(entry.kind, LEDGER_BUDGET);
    assert_false(ledger_take_change(pair->old, &entry));
}

static void what_a_slot_held_is_given_back(void **state)
{
    static const struct {
        const struct limit *limit;
        const char *members[MAX + 1];
    } cases[] = {
        {&RECIPIENTS, {NULL, NULL, NULL, NULL}},
        {&NETWORKS, {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}},
        {&NEW_RECIPIENTS, {"a@x", "b@x", "c@x", "d@x"}},
    };
    const struct pair *pair = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hold holds[MAX + 1];
        for (size_t j = 0; j <= MAX; j++)
            holds[j] = hold_of(cases[i].limit, cases[i].members[j]);
        assert_true(take(pair->old, &holds[0]));
        assert_true(take(pair->old, &holds[1]));
        assert_true(take(pair->new, &holds[2]));
        assert_false(take(pair->new, &holds[3]));
        ledger_forget_slot(pair->new, 2);
        /* The new one's is still held. */
        assert_true(take(pair->new, &holds[3]));
        assert_true(take(pair->new, &holds[0]));
        assert_false(take(pair->new, &holds[1]));
        ledger_forget_slot(pair->new, 2);
        assert_false(take(pair->new, &holds[1]));
        ledger_give_back(pair->new, &holds[0], 1000);
        ledger_give_back(pair->new, &holds[2], 1000);
        ledger_commit(pair->new, &holds[3], 1000);
        assert_true(take(pair->old, &holds[1]));
        assert_true(take(pair->old, &holds[2]));
        assert_false(take(pair->old, &holds[0]));
    }
}

/* Two processes write to an address that is new to both; the one that had it
 * first dies. */
static void a_new_recipient_of_two_slots_stays_reserved(void **state)
{
    const struct pair *pair = *state;
    struct hold a = hold_of(&NEW_RECIPIENTS, "a@x");
    struct hold b = hold_of(&NEW_RECIPIENTS, "b@x");
    struct hold c = hold_of(&NEW_RECIPIENTS, "c@x");
    struct hold d = hold_of(&NEW_RECIPIENTS, "d@x");
    assert_true(take(pair->old, &a));
    assert_true(take(pair->new, &a));
    assert_true(take(pair->new, &b));
    ledger_forget_slot(pair->new, 2);
    assert_true(take(pair->new, &c));
    assert_false(take(pair->new, &d));
    ledger_commit(pair->new, &a, 1000);
    assert_false(take(pair->new, &d));
    ledger_give_back(pair->new, &b, 1000);
    assert_true(take(pair->new, &d));
    assert_false(take(pair->new, &b));
    a.is_settled = false;
    assert_true(take(pair->new, &a)); /* it is known from now on */
    ledger_forget_slot(pair->new, 5);
    assert_true(take(pair->old, &b));
    assert_true(take(pair->old, &c));
    assert_false(take(pair->old, &d));
}

static void zeros_are_an_empty_ledger(void **state)
{
    const struct pair *pair = *state;
    struct hold hold = hold_of(&RECIPIENTS, NULL);
    for (int i = 0; i < MAX; i++)
        assert_true(take(pair->old, &hold));
    assert_false(take(pair->old, &hold));
    memset(pair->memory, 0, ledger_octets(KEYS));
    for (int i = 0; i < MAX; i++)
        assert_true(take(i % 2 ? pair->old : pair->new, &hold));
    assert_false(take(pair->new, &hold));
}

#define WITH_PAIR(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(both_count_in_one_budget),
        WITH_PAIR(both_see_lists_and_known_nets),
        WITH_PAIR(a_change_by_one_is_taken_by_the_other),
        WITH_PAIR(what_a_slot_held_is_given_back),
        WITH_PAIR(a_new_recipient_of_two_slots_stays_reserved),
        WITH_PAIR(zeros_are_an_empty_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
