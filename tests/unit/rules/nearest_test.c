/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/nearest.h"

static void distance_counts_edits_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance(STR("reject"), STR("reject"), 3), 0);
    assert_int_equal(nearest_distance(STR("rejct"), STR("reject"), 3), 1);
    assert_int_equal(nearest_distance(STR("rejetc"), STR("reject"), 3), 1);
    assert_int_equal(nearest_distance(STR("Reject"), STR("reject"), 3), 0);
    assert_int_equal(nearest_distance(STR(""), STR("abc"), 5), 3);
    assert_int_equal(nearest_distance(STR("abcdef"), STR("uvwxyz"), 3), 4);
}

static void only_what_is_close_is_named(void **state)
{
    static const char *const WORDS[] = {"mail.from", "mail.size", "rcpt.to"};
    (void)state;
    assert_string_equal(nearest_word(STR("mail.form"), WORDS, 3), "mail.from");
    assert_string_equal(nearest_word(STR("rcpt.too"), WORDS, 3), "rcpt.to");
    assert_null(nearest_word(STR("weather"), WORDS, 3));
    assert_null(nearest_word(STR(""), WORDS, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_edits_and_swaps),
        cmocka_unit_test(only_what_is_close_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
