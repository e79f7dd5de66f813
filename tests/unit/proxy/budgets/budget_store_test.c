/* What is answered without the store, which nobody listens for. */
#include "proxy/budgets/budget_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/limit.h"
#include "rules/list.h"
#include "rules/rule.h"

#define NOW_MS 1000000

struct desk {
    struct limits_settings settings;
    struct store_meter meter;
    struct loop *loop;
    struct budget_store store;
    struct limit limit;
    struct rule rule;
    struct list list;
    struct answer answer;
};

static void open_desk(struct desk *desk, enum on_store_failure on_failure)
{
    *desk = (struct desk){
        .settings = {.store = STORE_REDIS,
                     .store_text = STR("redis+unix:///nowhere"),
                     .store_socket = "/nowhere",
                     .store_timeout_ms = 250},
        .loop = loop_new(),
        .store = {.ledger = shared_ledger_new(1000), .on_failure = on_failure},
        .limit = {.unit = UNIT_RECIPIENTS},
        .rule = {.name = STR("recipients")},
        .list = {.name = STR("contained")},
    };
    assert_non_null(desk->loop);
    assert_non_null(desk->store.ledger);
    desk->store.remote = remote_ledger_new(desk->loop, &desk->settings, NULL,
                                           NULL, &desk->meter);
    assert_non_null(desk->store.remote);
    assert_false(budget_store_is_to_be_asked(&desk->store));
    assert_int_equal(store_meter_read(&desk->meter, STORE_AWAY), 1);
}

static void close_desk(struct desk *desk)
{
    remote_ledger_free(desk->store.remote);
    loop_free(desk->loop);
    shared_ledger_free(desk->store.ledger);
}

static struct question hold_of(const struct desk *desk)
{
    return (struct question){
        .kind = QUESTION_HOLD,
        .rule = &desk->rule,
        .limit = &desk->limit,
        .key = STR("bob"),
        .cost = 1,
        .max = 1,
        .rate = {.amount = 1, .period_ms = 3600000},
    };
}

static enum budget_answered ask(struct desk *desk, struct question question)
{
    return budget_store_answer(&desk->store, &question, NOW_MS, &desk->answer);
}

/* As an evaluation makes it of the last answer. */
static struct hold granted(const struct desk *desk)
{
    struct question question = hold_of(desk);
    return (struct hold){
        .limit = question.limit,
        .rule = question.rule,
        .key = question.key,
        .cost = question.cost,
        .charge = question.cost,
        .max = question.max,
        .rate = question.rate,
        .token = desk->answer.token,
    };
}

static void its_own_memory_counts(void **state)
{
    struct desk desk;
    (void)state;
    open_desk(&desk, ON_STORE_FAILURE_LOCAL);
    assert_int_equal(ask(&desk, hold_of(&desk)), BUDGET_LOCAL);
    assert_true(desk.answer.is_within);
    struct hold hold = granted(&desk);
    budget_store_give_back(&desk.store, &hold, NOW_MS);
    assert_int_equal(ask(&desk, hold_of(&desk)), BUDGET_LOCAL);
    hold = granted(&desk);
    budget_store_commit(&desk.store, &hold, NOW_MS);
    assert_int_equal(ask(&desk, hold_of(&desk)), BUDGET_LOCAL);
    assert_false(desk.answer.is_within);
    close_desk(&desk);
}

/* Nothing of it is held anywhere. */
static void what_is_let_through_is_not_counted(void **state)
{
    struct desk desk;
    (void)state;
    open_desk(&desk, ON_STORE_FAILURE_ALLOW);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&desk, hold_of(&desk)), BUDGET_ALLOWED);
        assert_true(desk.answer.is_within);
        struct hold hold = granted(&desk);
        if (i % 2 == 0)
            budget_store_commit(&desk.store, &hold, NOW_MS);
        else
            budget_store_give_back(&desk.store, &hold, NOW_MS);
    }
    desk.store.on_failure = ON_STORE_FAILURE_LOCAL;
    assert_int_equal(ask(&desk, hold_of(&desk)), BUDGET_LOCAL);
    assert_int_equal(desk.answer.before, 0);
    close_desk(&desk);
}

static void nobody_may_say(void **state)
{
    struct desk desk;
    (void)state;
    open_desk(&desk, ON_STORE_FAILURE_DEFER);
    assert_int_equal(ask(&desk, hold_of(&desk)), BUDGET_DEFERRED);
    struct hold hold = granted(&desk);
    budget_store_commit(&desk.store, &hold, NOW_MS);
    desk.store.on_failure = ON_STORE_FAILURE_LOCAL;
    assert_int_equal(ask(&desk, hold_of(&desk)), BUDGET_LOCAL);
    assert_int_equal(desk.answer.before, 0);
    close_desk(&desk);
}

static void what_the_store_listed_is_known_for_an_hour(void **state)
{
    struct desk desk;
    (void)state;
    open_desk(&desk, ON_STORE_FAILURE_ALLOW);
    const struct question listed = {.kind = QUESTION_LISTED,
                                    .rule = &desk.rule,
                                    .list = &desk.list,
                                    .value = STR("bob")};
    const struct answer yes = {.is_listed = true}, no = {0};
    assert_int_equal(ask(&desk, listed), BUDGET_ALLOWED);
    assert_false(desk.answer.is_listed);
    budget_store_learn(&desk.store, &listed, &yes, NOW_MS);
    (void)ask(&desk, listed);
    assert_true(desk.answer.is_listed);
    budget_store_learn(&desk.store, &listed, &no, NOW_MS);
    (void)ask(&desk, listed);
    assert_false(desk.answer.is_listed);
    budget_store_learn(&desk.store, &listed, &yes, NOW_MS);
    (void)budget_store_answer(&desk.store, &listed, NOW_MS + 3600001,
                              &desk.answer);
    assert_false(desk.answer.is_listed);
    close_desk(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_memory_counts),
        cmocka_unit_test(what_is_let_through_is_not_counted),
        cmocka_unit_test(nobody_may_say),
        cmocka_unit_test(what_the_store_listed_is_known_for_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
