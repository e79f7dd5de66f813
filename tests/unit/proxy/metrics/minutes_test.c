#include "proxy/metrics/minutes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW UINT64_C(29800000)

static uint64_t at(const struct minutes *minutes, uint64_t now, size_t ago)
{
    uint64_t out[MINUTES] = {0};
    minutes_read(minutes, now, out);
    return out[MINUTES - 1 - ago];
}

static void the_last_is_the_running_minute(void **state)
{
    (void)state;
    struct minutes minutes = {0};
    minutes_add(&minutes, NOW, 1);
    minutes_add(&minutes, NOW, 2);
    assert_int_equal(at(&minutes, NOW, 0), 3);
    assert_int_equal(at(&minutes, NOW, 1), 0);
    minutes_add(&minutes, NOW + 1, 5);
    assert_int_equal(at(&minutes, NOW + 1, 0), 5);
    assert_int_equal(at(&minutes, NOW + 1, 1), 3);
    assert_int_equal(minutes_sum(&minutes, NOW + 1), 8);
}

static void an_hour_later_it_is_forgotten(void **state)
{
    (void)state;
    struct minutes minutes = {0};
    minutes_add(&minutes, NOW, 7);
    assert_int_equal(at(&minutes, NOW + 59, 59), 7);
    assert_int_equal(minutes_sum(&minutes, NOW + 60), 0);
    /* Its place is that of a minute that is asked for. */
    assert_int_equal(minutes_sum(&minutes, NOW + MINUTES_PLACES + 10), 0);
    /* The place is taken by another minute of the same remainder. */
    minutes_add(&minutes, NOW + MINUTES_PLACES, 1);
    assert_int_equal(minutes_sum(&minutes, NOW + MINUTES_PLACES), 1);
}

static void a_clock_that_was_set_back_tells_nothing_of_later(void **state)
{
    (void)state;
    struct minutes minutes = {0};
    minutes_add(&minutes, NOW + 10, 4);
    assert_int_equal(minutes_sum(&minutes, NOW), 0);
}

static void reading_adds(void **state)
{
    (void)state;
    struct minutes minutes = {0};
    uint64_t out[MINUTES] = {0};
    minutes_add(&minutes, NOW - 59, 2);
    minutes_read(&minutes, NOW, out);
    minutes_read(&minutes, NOW, out);
    assert_int_equal(out[0], 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_is_the_running_minute),
        cmocka_unit_test(an_hour_later_it_is_forgotten),
        cmocka_unit_test(a_clock_that_was_set_back_tells_nothing_of_later),
        cmocka_unit_test(reading_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
