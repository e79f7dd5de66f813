/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/glob.h"

struct glob_case {
    const char *glob, *text;
    bool want;
};

static void a_star_spans_dots(void **state)
{
    static const struct glob_case CASES[] = {
        {"*", "", true},
        {"*", "a.b.c", true},
        {"a*c", "a.b.c", true},
        {"a*c", "a.b.cd", false},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"MAIL*", "mail7", true},
        {"a**b", "ab", true},
        {"", "", true},
        {"", "a", false},
        {"a*b*c", "abbbbc", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(
            glob_matches(str_from(CASES[i].glob), str_from(CASES[i].text)),
            CASES[i].want);
}

static void names_below_may_include_the_name_itself(void **state)
{
    static const struct glob_case CASES[] = {
        {".example.org", "example.org", true},
        {".example.org", "a.b.Example.ORG", true},
        {".example.org", "badexample.org", false},
        {"*.example.org", "example.org", false},
        {"*.example.org", "a.example.org", true},
        {"example.org", "a.example.org", false},
        {"example.org", "EXAMPLE.org", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(
            glob_matches_name(str_from(CASES[i].glob), str_from(CASES[i].text)),
            CASES[i].want);
}

static void globs_for_addresses_match_mailboxes_alone(void **state)
{
    static const struct glob_case CASES[] = {
        {"*@example.org", "bob@example.org", true},
        {"*@example.org", "bob@a.example.org", false},
        {"*@.example.org", "bob@a.example.org", true},
        {"*@*.example.org", "bob@example.org", false},
        {".example.org", "bob@example.org", true},
        {"*.example.org", "bob@example.org", false},
        {"*.example.org", "bob@a.example.org", true},
        {"bob+*@example.org", "bob+x@example.org", true},
        {"*", "bob@example.org", true},
        /* What is no mailbox is never matched, not even by a lone star. */
        {"*", "", false},
        {"*", "<malformed bob@example.org>", false},
        {"*@example.org", "evil@evil.example,bob@example.org", false},
        {"*@example.org", "evil@evil.example@example.org", false},
        {"*@example.org", "a b@example.org", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(glob_matches_address(str_from(CASES[i].glob),
                                              str_from(CASES[i].text)),
                         CASES[i].want);
}

static void many_stars_take_no_longer_than_their_product(void **state)
{
    static char text[20000], glob[200];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof glob; i += 2)
        memcpy(glob + i, "a*", 2);
    glob[sizeof glob - 1] = 'b';
    assert_false(
        glob_matches(str_span(glob, sizeof glob), str_span(text, sizeof text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_spans_dots),
        cmocka_unit_test(names_below_may_include_the_name_itself),
        cmocka_unit_test(globs_for_addresses_match_mailboxes_alone),
        cmocka_unit_test(many_stars_take_no_longer_than_their_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
