#include "rules/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_copied_text_does_not_follow_the_original(void **state)
{
    struct facts from, to;
    (void)state;
    facts_init(&from);
    facts_init(&to);
    facts_set_text(&from, FACT_RCPT_TO, STR("a@example.net"));
    facts_copy(&to, &from, FACT_RCPT_TO);
    facts_set_text(&from, FACT_RCPT_TO, STR("b@example.net"));
    assert_true(
        str_equals(facts_text(&to, FACT_RCPT_TO), STR("a@example.net")));
    assert_ptr_equal(to.values[FACT_RCPT_TO].items,
                     &to.values[FACT_RCPT_TO].single);
}

static void a_copy_of_what_is_not_known_is_not_known(void **state)
{
    struct facts from, to;
    (void)state;
    facts_init(&from);
    facts_init(&to);
    facts_set_number(&to, FACT_MAIL_SIZE, 7);
    facts_copy(&to, &from, FACT_MAIL_SIZE);
    assert_false(facts_know(&to, FACT_MAIL_SIZE));
}

static void lists_and_numbers_are_copied(void **state)
{
    static const struct str groups[] = {STR_INIT("staff"), STR_INIT("x")};
    struct facts from, to;
    (void)state;
    facts_init(&from);
    facts_init(&to);
    facts_set_list(&from, FACT_AUTH_GROUPS, groups, 2);
    facts_set_number(&from, FACT_MAIL_SIZE, 7);
    facts_copy(&to, &from, FACT_AUTH_GROUPS);
    facts_copy(&to, &from, FACT_MAIL_SIZE);
    assert_ptr_equal(to.values[FACT_AUTH_GROUPS].items, groups);
    assert_int_equal(to.values[FACT_AUTH_GROUPS].count, 2);
    assert_int_equal(to.values[FACT_MAIL_SIZE].number, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copied_text_does_not_follow_the_original),
        cmocka_unit_test(a_copy_of_what_is_not_known_is_not_known),
        cmocka_unit_test(lists_and_numbers_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
