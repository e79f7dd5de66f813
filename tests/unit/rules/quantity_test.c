/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/quantity.h"

#define WRONG UINT64_MAX

static void sizes_are_powers_of_1024(void **state)
{
    static const struct {
        const char *text;
        uint64_t want;
    } CASES[] = {
        {"0", 0},
        {"500", 500},
        {"10K", 10240},
        {"10k", 10240},
        {"25M", 25u << 20},
        {"1G", 1u << 30},
        {"2T", UINT64_C(2) << 40},
        {"", WRONG},
        {"K", WRONG},
        {"10KB", WRONG},
        {"1.5M", WRONG},
        {"-1", WRONG},
        {" 1", WRONG},
        {"10 M", WRONG},
        {"9999999T", WRONG},
        {"99999999999999999999", WRONG},
        {"10X", WRONG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint64_t got = WRONG;
        int rc = quantity_size(str_from(CASES[i].text), &got);
        assert_int_equal(rc, CASES[i].want == WRONG ? -1 : 0);
        if (rc == 0)
            assert_int_equal(got, CASES[i].want);
    }
}

static void durations_need_a_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t want;
    } CASES[] = {
        {"500ms", 500},
        {"30s", 30000},
        {"5m", 300000},
        {"1h", 3600000},
        {"366d", UINT64_C(366) * 86400000},
        {"367d", WRONG},
        {"5", WRONG},
        {"5M", WRONG},
        {"h", WRONG},
        {"1h30m", WRONG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint64_t got = WRONG;
        int rc = quantity_duration(str_from(CASES[i].text), &got);
        assert_int_equal(rc, CASES[i].want == WRONG ? -1 : 0);
        if (rc == 0)
            assert_int_equal(got, CASES[i].want);
    }
}

static void rates_have_an_amount_and_perhaps_a_period(void **state)
{
    static const struct {
        const char *text;
        uint64_t want_amount, want_period;
    } CASES[] = {
        {"500/h", 500, 3600000},
        {"5/10m", 5, 600000},
        {"1G/d", 1u << 30, 86400000},
        {"500", 500, 0},
        {"10M", 10u << 20, 0},
        {"0/h", WRONG, 0},
        {"5/", WRONG, 0},
        {"/h", WRONG, 0},
        {"5/0m", WRONG, 0},
        {"5/h/h", WRONG, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct rate got;
        int rc = quantity_rate(str_from(CASES[i].text), &got);
        assert_int_equal(rc, CASES[i].want_amount == WRONG ? -1 : 0);
        if (rc != 0)
            continue;
        assert_int_equal(got.amount, CASES[i].want_amount);
        assert_int_equal(got.period_ms, CASES[i].want_period);
    }
}

static void waits_round_up_to_seconds(void **state)
{
    static const struct {
        uint64_t ms;
        const char *want;
    } CASES[] = {
        {0, "0s"},         {1, "1s"},           {7200, "8s"},
        {125000, "2m 5s"}, {120000, "2m"},      {3660000, "1h 1m"},
        {3600000, "1h"},   {90000000, "1d 1h"},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_string_equal(quantity_wait_text(&arena, CASES[i].ms).p,
                            CASES[i].want);
    arena_release(&arena);
}

static void shares_are_of_a_hundred(void **state)
{
    static const struct {
        const char *text;
        uint64_t want;
    } CASES[] = {
        {"1%", 10000},       {"0%", 0},           {"100%", 1000000},
        {"0.25%", 2500},     {"0.0001%", 1},      {"12.5%", 125000},
        {"100.0%", 1000000}, {"100.1%", WRONG},   {"101%", WRONG},
        {"1", WRONG},        {"%", WRONG},        {".5%", WRONG},
        {"1.%", WRONG},      {"1.00001%", WRONG}, {"1%%", WRONG},
        {"-1%", WRONG},      {"1 %", WRONG},      {"", WRONG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint64_t got = WRONG;
        int rc = quantity_percent(str_from(CASES[i].text), &got);
        assert_int_equal(rc, CASES[i].want == WRONG ? -1 : 0);
        if (rc == 0)
            assert_int_equal(got, CASES[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(rates_have_an_amount_and_perhaps_a_period),
        cmocka_unit_test(shares_are_of_a_hundred),
        cmocka_unit_test(waits_round_up_to_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
