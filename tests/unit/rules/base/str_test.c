#include "rules/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_line_ends_in_lf_or_in_cr_lf(void **state)
{
    (void)state;
    static const struct {
        struct str text, want_line, want_rest;
    } cases[] = {
        {STR("a\nb"), STR("a"), STR("b")},
        {STR("a\r\nb\r\n"), STR("a"), STR("b\r\n")},
        {STR("a"), STR("a"), STR("")},
        {STR("a\r"), STR("a"), STR("")},
        {STR("a\r\r\n"), STR("a\r"), STR("")},
        {STR("a\rb\n"), STR("a\rb"), STR("")},
        {STR("\r\n\n"), STR(""), STR("\n")},
        {STR(""), STR(""), STR("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str line, rest;
        str_cut_line(cases[i].text, &line, &rest);
        assert_true(str_equals(line, cases[i].want_line));
        assert_true(str_equals(rest, cases[i].want_rest));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_in_lf_or_in_cr_lf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
