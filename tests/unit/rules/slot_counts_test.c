#include "rules/slot_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_a_slot_took_can_be_taken_back(void **state)
{
    struct slot_counts counts = {{0}};
    (void)state;
    slot_counts_add(&counts, 0, 3);
    slot_counts_add(&counts, SLOTS - 1, 5);
    slot_counts_lower(&counts, SLOTS - 1, 1);
    assert_int_equal(slot_counts_sum(&counts), 7);
    assert_int_equal(slot_counts_take(&counts, SLOTS - 1), 4);
    assert_int_equal(slot_counts_take(&counts, SLOTS - 1), 0);
    assert_int_equal(slot_counts_sum(&counts), 3);
}

static void no_slot_gives_back_more_than_it_took(void **state)
{
    struct slot_counts counts = {{0}};
    (void)state;
    slot_counts_add(&counts, 1, 3);
    slot_counts_lower(&counts, 1, 4);
    assert_int_equal(slot_counts_take(&counts, 1), 0);
    slot_counts_add(&counts, 1, 3);
    slot_counts_add(&counts, 1, (uint64_t)1 << 40);
    assert_int_equal(slot_counts_take(&counts, 1), UINT32_MAX);
    assert_int_equal(slot_counts_sum(&counts), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_slot_took_can_be_taken_back),
        cmocka_unit_test(no_slot_gives_back_more_than_it_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
