/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "rules/gcra.h"

#define HOUR 3600000

static const struct rate FIVE_A_MINUTE = {5, 60000};

static bool hold(struct budget *budget, uint64_t burst, uint64_t cost,
                 uint64_t now_ms, struct gcra_result *result)
{
    gcra_hold(budget, &FIVE_A_MINUTE, burst, cost, now_ms, result);
    return result->is_within;
}

static void what_is_held_counts_and_does_not_drain(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        assert_true(hold(&budget, 5, 1, 1000, &result));
        assert_int_equal(result.before, i);
        assert_int_equal(result.after, i + 1);
    }
    assert_false(hold(&budget, 5, 1, 1000, &result));
    assert_false(hold(&budget, 5, 1, 1000 + HOUR, &result));
    gcra_give_back(&budget, 1);
    assert_true(hold(&budget, 5, 1, 1000 + HOUR, &result));
}

static void a_commit_counts_from_its_own_time(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    (void)state;
    assert_true(hold(&budget, 5, 5, 0, &result));
    gcra_commit(&budget, &FIVE_A_MINUTE, 5, 5, 60000);
    assert_false(hold(&budget, 5, 1, 60000, &result));
    assert_int_equal(result.retry_after_ms, 12000);
    assert_false(hold(&budget, 5, 1, 71999, &result));
    assert_true(hold(&budget, 5, 1, 72000, &result));
}

static void a_commit_may_charge_less_than_was_held(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    (void)state;
    assert_true(hold(&budget, 5, 4, 0, &result));
    gcra_commit(&budget, &FIVE_A_MINUTE, 4, 1, 0);
    assert_true(hold(&budget, 5, 4, 0, &result));
    assert_false(hold(&budget, 5, 1, 0, &result));
}

static void the_wait_told_is_exactly_enough(void **state)
{
    (void)state;
    for (uint64_t cost = 1; cost <= 7; cost++) {
        struct rate rate = {7, 1000};
        struct budget budget = {0};
        struct gcra_result result;
        gcra_hold(&budget, &rate, 7, 7, 0, &result);
        gcra_commit(&budget, &rate, 7, 7, 0);
        gcra_hold(&budget, &rate, 7, cost, 3, &result);
        assert_false(result.is_within);
        uint64_t at = 3 + result.retry_after_ms;
        struct budget early = budget;
        gcra_hold(&early, &rate, 7, cost, at - 1, &result);
        assert_false(result.is_within);
        gcra_hold(&budget, &rate, 7, cost, at, &result);
        assert_true(result.is_within);
    }
}

static void the_wait_told_to_an_attempt_is_exactly_enough(void **state)
{
    (void)state;
    for (uint64_t cost = 1; cost <= 7; cost++) {
        struct rate rate = {7, 1000};
        struct budget budget = {0};
        struct gcra_result result;
        gcra_charge(&budget, &rate, 7, 7, 0, &result);
        gcra_charge(&budget, &rate, 7, cost, 3, &result);
        assert_false(result.is_within);
        uint64_t at = 3 + result.retry_after_ms;
        struct budget early = budget;
        gcra_charge(&early, &rate, 7, cost, at - 1, &result);
        assert_false(result.is_within);
        gcra_charge(&budget, &rate, 7, cost, at, &result);
        assert_true(result.is_within);
    }
}

static uint64_t random_below(uint64_t *seed, uint64_t bound)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % bound;
}

/* Whoever does as told passes, and not a millisecond sooner: whatever was
 * held, committed, given back and charged before, under whichever rates. */
static void the_wait_told_is_exact_whatever_came_before(void **state)
{
    static const struct rate RATES[] = {
        {7, 1000}, {500, HOUR}, {3, 60000}, {1000000, 86400000}};
    uint64_t seed = 88172645463325252;
    size_t waits = 0;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct budget budget = {0};
        struct gcra_result result;
        uint64_t now = 1000, held = 0;
        bool charges = random_below(&seed, 2) == 0;
        for (int i = 0; i < 12; i++) {
            const struct rate *rate = &RATES[random_below(&seed, 4)];
            uint64_t burst = 1 + random_below(&seed, rate->amount + 20);
            uint64_t cost = 1 + random_below(&seed, burst);
            now += random_below(&seed, 3 * rate->period_ms / 2);
            if (charges)
                gcra_charge(&budget, rate, burst, cost, now, &result);
            else
                gcra_hold(&budget, rate, burst, cost, now, &result);
            if (result.is_within && !charges) {
                if (random_below(&seed, 3) > 0)
                    gcra_commit(&budget, rate, cost, cost, now);
                else
                    held += cost;
            }
            if (result.is_within || budget.held + cost > burst)
                continue;
            struct budget early = budget, late = budget;
            uint64_t at = now + result.retry_after_ms;
            gcra_hold(&early, rate, burst, cost, at - 1, &result);
            assert_false(result.is_within);
            gcra_hold(&late, rate, burst, cost, at, &result);
            assert_true(result.is_within);
            waits++;
        }
        assert_int_equal(budget.held, held);
    }
    assert_true(waits > 1000);
}

static void more_than_the_burst_never_fits(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    (void)state;
    assert_false(hold(&budget, 5, 6, 0, &result));
    assert_false(result.is_held_up);
    assert_false(hold(&budget, 5, UINT64_MAX, HOUR, &result));
    assert_int_equal(result.retry_after_ms, 60000);
    assert_int_equal(result.before, 0);
}

static void what_others_hold_is_told_from_what_was_used(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    (void)state;
    assert_true(hold(&budget, 5, 5, 0, &result));
    assert_false(result.is_held_up);
    assert_false(hold(&budget, 5, 1, 0, &result));
    assert_true(result.is_held_up);
    gcra_commit(&budget, &FIVE_A_MINUTE, 5, 5, 0);
    assert_false(hold(&budget, 5, 1, 0, &result));
    assert_false(result.is_held_up);
}

static void who_goes_on_trying_stays_out(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    uint64_t now = 0;
    (void)state;
    for (int i = 0; i < 5; i++)
        gcra_charge(&budget, &FIVE_A_MINUTE, 5, 1, now, &result);
    assert_true(result.is_within);
    /* One more every second, for ten minutes: never within. */
    for (int i = 0; i < 600; i++) {
        now += 1000;
        gcra_charge(&budget, &FIVE_A_MINUTE, 5, 1, now, &result);
        assert_false(result.is_within);
    }
    gcra_charge(&budget, &FIVE_A_MINUTE, 5, 1, now + 12000, &result);
    assert_true(result.is_within);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    (void)state;
    assert_true(hold(&budget, 5, 5, 100000, &result));
    gcra_commit(&budget, &FIVE_A_MINUTE, 5, 5, 100000);
    assert_false(hold(&budget, 5, 1, 10, &result));
    assert_false(hold(&budget, 5, 1, 111999, &result));
    assert_true(hold(&budget, 5, 1, 112000, &result));
}

static void another_period_keeps_what_was_used(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    struct rate hourly = {5, HOUR};
    (void)state;
    assert_true(hold(&budget, 5, 4, 0, &result));
    gcra_commit(&budget, &FIVE_A_MINUTE, 4, 4, 0);
    gcra_hold(&budget, &hourly, 5, 1, 0, &result);
    assert_int_equal(result.before, 4);
    assert_true(result.is_within);
    gcra_hold(&budget, &hourly, 5, 1, 0, &result);
    assert_false(result.is_within);
}

/* Sessions of the policy before a reload go on asking beside the new ones. */
static void two_periods_in_turn_neither_give_back_nor_take(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    struct rate hourly = {300, HOUR};
    uint64_t now = 0;
    (void)state;
    assert_true(hold(&budget, 5, 5, now, &result));
    gcra_commit(&budget, &FIVE_A_MINUTE, 5, 5, now);
    /* Both drain five a minute, asked every second or so. */
    while (now < 59000) {
        now += 500;
        gcra_hold(&budget, &hourly, 5, 5, now, &result);
        assert_false(result.is_within);
        now += 500;
        assert_false(hold(&budget, 5, 5, now, &result));
    }
    gcra_hold(&budget, &hourly, 5, 5, 60001, &result);
    assert_true(result.is_within);
}

static void a_lower_burst_waits_for_what_was_used(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    struct rate lower = {2, 60000};
    (void)state;
    assert_true(hold(&budget, 5, 5, 0, &result));
    gcra_commit(&budget, &FIVE_A_MINUTE, 5, 5, 0);
    gcra_hold(&budget, &lower, 2, 1, 0, &result);
    assert_false(result.is_within);
    assert_int_equal(result.before, 5);
    assert_int_equal(result.retry_after_ms, 120000);
    gcra_hold(&budget, &lower, 2, 1, 119999, &result);
    assert_false(result.is_within);
    gcra_hold(&budget, &lower, 2, 1, 120000, &result);
    assert_true(result.is_within);
}

static void without_a_period_only_what_is_held_counts(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    struct rate at_once = {2, 0};
    (void)state;
    for (int i = 0; i < 3; i++) {
        gcra_hold(&budget, &at_once, 2, 1, 0, &result);
        assert_int_equal(result.is_within, i < 2);
    }
    gcra_commit(&budget, &at_once, 1, 1, 0);
    gcra_hold(&budget, &at_once, 2, 1, 0, &result);
    assert_true(result.is_within);
}

static void the_largest_numbers_do_not_overflow(void **state)
{
    struct budget budget = {0};
    struct gcra_result result;
    struct rate rate = {UINT64_C(1) << 53, UINT64_C(366) * 86400000};
    uint64_t burst = UINT64_C(1) << 53;
    (void)state;
    gcra_hold(&budget, &rate, burst, burst, 1, &result);
    assert_true(result.is_within);
    gcra_commit(&budget, &rate, burst, burst, 1);
    gcra_hold(&budget, &rate, burst, 1, 1, &result);
    assert_false(result.is_within);
    assert_int_equal(result.before, burst);
    assert_int_equal(gcra_idle_at_ms(&budget, &rate), 1 + rate.period_ms);
    gcra_hold(&budget, &rate, burst, burst, UINT64_MAX, &result);
    assert_true(result.is_within);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_counts_and_does_not_drain),
        cmocka_unit_test(a_commit_counts_from_its_own_time),
        cmocka_unit_test(a_commit_may_charge_less_than_was_held),
        cmocka_unit_test(the_wait_told_is_exactly_enough),
        cmocka_unit_test(the_wait_told_to_an_attempt_is_exactly_enough),
        cmocka_unit_test(the_wait_told_is_exact_whatever_came_before),
        cmocka_unit_test(two_periods_in_turn_neither_give_back_nor_take),
        cmocka_unit_test(a_lower_burst_waits_for_what_was_used),
        cmocka_unit_test(more_than_the_burst_never_fits),
        cmocka_unit_test(what_others_hold_is_told_from_what_was_used),
        cmocka_unit_test(who_goes_on_trying_stays_out),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
        cmocka_unit_test(another_period_keeps_what_was_used),
        cmocka_unit_test(without_a_period_only_what_is_held_counts),
        cmocka_unit_test(the_largest_numbers_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
