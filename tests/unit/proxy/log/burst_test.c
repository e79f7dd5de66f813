#include "proxy/log/burst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t say(struct burst *burst, uint64_t now_ms, struct str text,
                  size_t times)
{
    size_t passed = 0;
    struct burst_sum evicted;
    for (size_t i = 0; i < times; i++)
        passed += burst_pass(burst, now_ms, 1, text, &evicted);
    return passed;
}

static void
wire_O11_ten_of_one_message_pass_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct burst burst;
    struct burst_sum sum;
    burst_init(&burst);
    assert_int_equal(say(&burst, 1000, STR("refused"), 25), 10);
    assert_int_equal(say(&burst, 1000, STR("other"), 3), 3);
    assert_false(burst_next_sum(&burst, 1000 + BURST_MS - 1, false, &sum));
    assert_true(burst_next_sum(&burst, 1000 + BURST_MS, false, &sum));
    assert_int_equal(sum.count, 15);
    assert_int_equal(sum.level, 1);
    assert_true(str_equals(sum.text, STR("refused")));
    assert_false(burst_next_sum(&burst, 1000 + BURST_MS, false, &sum));
}

static void after_its_time_a_message_passes_again(void **state)
{
    (void)state;
    struct burst burst;
    struct burst_sum sum;
    burst_init(&burst);
    say(&burst, 0, STR("refused"), 20);
    while (burst_next_sum(&burst, BURST_MS, false, &sum))
        ;
    assert_int_equal(say(&burst, BURST_MS, STR("refused"), 20), 10);
}

static void the_same_text_at_another_level_is_another_message(void **state)
{
    (void)state;
    struct burst burst;
    struct burst_sum evicted;
    burst_init(&burst);
    assert_int_equal(say(&burst, 0, STR("refused"), 11), 10);
    assert_true(burst_pass(&burst, 0, 2, STR("refused"), &evicted));
}

static void an_evicted_message_hands_over_its_sum(void **state)
{
    (void)state;
    struct burst burst;
    struct burst_sum evicted = {.count = 0};
    uint64_t told = 0;
    burst_init(&burst);
    say(&burst, 0, STR("first"), 12);
    for (size_t i = 0; i < BURST_SLOTS; i++) {
        char text[2] = {(char)('a' + i), 0};
        burst_pass(&burst, 1 + i, 1, str_from(text), &evicted);
        if (evicted.count > 0)
            assert_true(str_equals(evicted.text, STR("first")));
        told += evicted.count;
    }
    assert_int_equal(told, 2);
}

static void at_the_end_all_sums_come(void **state)
{
    (void)state;
    struct burst burst;
    struct burst_sum sum;
    uint64_t count = 0;
    burst_init(&burst);
    say(&burst, 5, STR("one"), 11);
    say(&burst, 5, STR("two"), 12);
    while (burst_next_sum(&burst, 5, true, &sum))
        count += sum.count;
    assert_int_equal(count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            wire_O11_ten_of_one_message_pass_and_the_rest_is_counted),
        cmocka_unit_test(after_its_time_a_message_passes_again),
        cmocka_unit_test(the_same_text_at_another_level_is_another_message),
        cmocka_unit_test(an_evicted_message_hands_over_its_sum),
        cmocka_unit_test(at_the_end_all_sums_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
